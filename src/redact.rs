//! Makes a text fit to leave the machine: secrets cut out, control and direction characters removed.
//!
//! On the lowest floor, so that every room that shows, stores or sends a text from outside can use it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use self::rules::RULES;

mod rules;
pub mod secret;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// Passes over a text at most. One is enough for what people and programs write; a second one finds what the first
/// uncovered. A text that still changes after so many was made to, and is hidden as a whole.
const MOST_PASSES: usize = 8;

/// A rule, ready for use.
struct Pattern {
    shape: Regex,
    replacement: &'static str,
}

/// The rules, ready for use; `every_rule_is_a_valid_one` sees to it that none is missing.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    RULES
        .iter()
        .filter_map(|(_, shape, replacement)| Some(Pattern { shape: compile(shape).ok()?, replacement }))
        .collect()
});

/// Word characters and boundaries are ASCII's, which is what tokens are made of.
fn compile(shape: &str) -> Result<Regex, regex::Error> {
    let shape = shape.replace(r"\b", r"(?-u:\b)").replace(r"[\w", "[A-Za-z0-9_").replace(r"\w", "[A-Za-z0-9_]");
    RegexBuilder::new(&shape).build()
}

/// The text without what looks like a secret. What was hidden before stays as it is.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = text.to_owned();
    for _ in 0..MOST_PASSES {
        let mut changed = false;
        for pattern in PATTERNS.iter() {
            if let Some(better) = hide(pattern, &clean) {
                clean = better;
                changed = true;
            }
        }
        if !changed {
            return clean;
        }
    }
    HIDDEN.to_owned()
}

/// The text with a pattern applied between what is hidden already; `None` if that changes nothing.
fn hide(pattern: &Pattern, text: &str) -> Option<String> {
    let mut changed = false;
    let parts: Vec<Cow<'_, str>> = text
        .split(HIDDEN)
        .map(|part| {
            let part = pattern.shape.replace_all(part, pattern.replacement);
            changed |= matches!(part, Cow::Owned(_));
            part
        })
        .collect();
    changed.then(|| parts.join(HIDDEN))
}

/// Characters of a text from outside that are looked at: four times what the longest place can show, so that no
/// secret is cut in two just where it would be seen.
const LOOKED_AT: usize = 16_384;

/// The text on one line, without secrets and without characters that could disturb the text around it: control
/// characters, and those that turn the direction of writing.
#[must_use]
pub fn one_line(text: &str) -> String {
    let looked_at = text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end]);
    // Invisible characters first: one within a secret must not hide it. Then with the line ends, and without them.
    let visible: String = looked_at.chars().filter_map(visible).collect();
    redact(&unwrapped(&redact(&visible)))
}

/// Characters of a word from outside that are kept.
const LONGEST_WORD: usize = 200;

/// A short word from outside, such as a name: on one line, without characters that could disturb the text or the
/// terminal around it, and of bounded length. Secrets are not looked for.
#[must_use]
pub fn harmless(word: &str) -> String {
    cut(&unwrapped(&word.chars().take(LONGEST_WORD + 1).filter_map(visible).collect::<String>()), LONGEST_WORD)
}

/// A character that takes room, if this is one; a space for those that only control something.
fn visible(character: char) -> Option<char> {
    match character {
        '\n' => Some('\n'),
        character if character.is_whitespace() || character.is_control() => Some(' '),
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' => None,
        character => Some(character),
    }
}

/// The words of the text with one space in between.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text cut to `limit` characters, the last of them an ellipsis if anything was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    if limit > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_from_outside_disturbs_nothing() {
        assert_eq!(harmless("telegram"), "telegram");
        assert_eq!(harmless("\u{1b}[2Jred\r\n2026 FAKE\u{202e}\u{9b}"), "[2Jred 2026 FAKE");
        assert_eq!(harmless(&"x".repeat(1_000)).chars().count(), 200);
    }

    #[test]
    fn every_rule_is_a_valid_one() {
        for (name, shape, replacement) in RULES {
            assert!(compile(shape).is_ok(), "{name}");
            assert!(replacement.contains(HIDDEN), "{name}");
        }
        assert_eq!(PATTERNS.len(), RULES.len());
    }

    fn letters(count: usize) -> String {
        "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7".chars().cycle().take(count).collect()
    }

    fn hexadecimal(count: usize) -> String {
        "0a1b2c3d4e5f6a7b8c9d".chars().cycle().take(count).collect()
    }

    /// The rule that is meant, what must be gone, and the text around it. Put together at run time, so that no
    /// scanner takes this file for a leak.
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn planted() -> Vec<(&'static str, String, String)> {
        let plant = |rule, secret: String, around: &str| {
            let text = around.replace("{}", &secret);
            (rule, secret, text)
        };
        let key = letters(64);
        let pem = |secret: &str, wrap: &str| {
            let lines: Vec<&str> =
                (0..secret.len()).step_by(16).map(|at| &secret[at..secret.len().min(at + 16)]).collect();
            format!("-----BEGIN PRIVATE KEY-----{wrap}{}{wrap}-----END PRIVATE KEY-----", lines.join(wrap))
        };
        let mut all = vec![
            ("private key", key.clone(), pem(&key, "\n")),
            ("private key", key.clone(), pem(&key, "\n2026-11-22T14:03:22Z [gateway] ")),
            ("private key", key.clone(), format!("{{\"private_key\": \"{}\"}}", pem(&key, "\\n"))),
            plant("private key", letters(40), "-----BEGIN OPENSSH PRIVATE KEY-----\n{}"),
            plant(
                "private key",
                letters(40),
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n{}\n-----END PGP PRIVATE KEY BLOCK-----",
            ),
            plant(
                "private key whose beginning was cut off",
                letters(64),
                "[gateway] {}\n[gateway] Qx==\n-----END RSA PRIVATE KEY-----",
            ),
            plant("age key", letters(58).to_uppercase(), "identity AGE-SECRET-KEY-1{}"),
            plant("Discord webhook", letters(60), "POST https://discord.com/api/webhooks/1234567890/{} failed"),
            plant("Discord webhook", letters(60), "https://ptb.discord.com/api/v10/webhooks/1234567890/{}?wait=true"),
            plant(
                "Slack webhook",
                format!("T0{}/B0{}/{}", letters(8), letters(9), letters(24)),
                "https://hooks.slack.com/services/{}",
            ),
            plant("Teams webhook", letters(40), "https://acme.webhook.office.com/webhookb2/{}/IncomingWebhook/a/b"),
            plant("dead-man's switch", letters(36), "GET https://hc-ping.com/{}/fail: 200"),
            plant("password in an address", letters(20), "postgres://user:{}@db.local/x"),
            plant("password in an address", letters(20), "clone https://me:{}@git.example.org/a.git"),
            plant("token in an address", letters(24), "clone https://{}@git.example.org/a.git"),
            plant("Telegram bot", letters(35), "https://api.telegram.org/bot1234567890:{}/sendMessage"),
            plant("Telegram bot", letters(35), "telegram 987654321:{} refused"),
            plant("JSON web token", format!("{}.eyJ{}.{}", letters(20), letters(30), letters(43)), "jwt eyJ{}!"),
            plant("authorization header", letters(32), "Authorization: token {}"),
            plant("authorization header", letters(9), r#"{"authorization":"{}"}"#),
            plant("authorization header", letters(32), r#"{"headers":"{\"Authorization\":\"Bearer {}\"}"}"#),
            plant("cookie", letters(32), "Set-Cookie: session={}; HttpOnly"),
            plant("cookie", letters(32), "cookie: theme=dark; sid={}"),
            plant("cookie", letters(32), r#"{"set-cookie": ["sid={}; Path=/"]}"#),
            plant("bearer or basic token", letters(32), "sent bearer {}, refused"),
            plant("bearer or basic token", letters(32), "basic {}=="),
            plant("OpenAI", letters(48), "key sk-proj-{}"),
            plant("Anthropic", letters(80), "Anthropic said no to sk-ant-api03-{}."),
            plant("OpenRouter", letters(64), "sk-or-v1-{}"),
            plant("Stripe", letters(24), "stripe sk_live_{}"),
            plant("Stripe", letters(32), "webhook whsec_{}"),
            plant("secret key", letters(48), "key sk-{} is wrong"),
            plant("Slack", letters(40), "slack xoxb-{}"),
            plant("Slack", letters(40), "slack xoxe.xoxp-{}"),
            plant("Slack", letters(40), "slack xapp-1-{}"),
            plant("GitHub", letters(36), "github ghp_{}"),
            plant("GitHub", letters(36), "github gho_{}"),
            plant("GitHub", letters(36), "키ghs_{}를"),
            plant("GitHub, fine-grained", letters(60), "github_pat_{}"),
            plant("GitLab", letters(20), "gitlab glpat-{}"),
            plant("AWS key", letters(16).to_uppercase(), "aws AKIA{} used"),
            plant("Google key", letters(35), "google AIza{}"),
            plant("Google sign-in", letters(60), "refresh ya29.{}"),
            plant("Google sign-in", letters(28), "GOCSPX-{}"),
            plant("npm", letters(36), "npm_{} in .npmrc"),
            plant("PyPI", letters(60), "pypi-AgEIcHlwaS5vcmc{}"),
            plant("Hugging Face", letters(34), "hf_{}"),
            plant("Groq, xAI, Perplexity, Replicate", letters(40), "gsk_{}"),
            plant("Groq, xAI, Perplexity, Replicate", letters(40), "xai-{}"),
            plant("Tailscale", letters(20), "tskey-auth-{}"),
            plant("Twilio", hexadecimal(32), "twilio SK{}"),
            plant("SendGrid", format!("{}.{}", letters(22), letters(43)), "SG.{}"),
            plant("Mailgun", hexadecimal(32), "key-{}"),
            plant("DigitalOcean", hexadecimal(64), "dop_v1_{}"),
            plant("Shopify", hexadecimal(32), "shpat_{}"),
            plant("Linear, Notion", letters(40), "lin_api_{}"),
            plant("ntfy", hexadecimal(29), "tk_{}"),
            plant("Discord bot", format!("{}.{}.{}", letters(25), letters(6), letters(38)), "discord bot M{}"),
            plant("named value within a text", letters(12), r#"{"body":"{\"botToken\":\"{}\"}"}"#),
            plant("named value", letters(12), "token={}&x=1"),
            plant("named value", letters(12), "OPENCLAW_GATEWAY_TOKEN={} node"),
            plant("named value", letters(12), r#"{"gateway":{"auth":{"mode":"token","token":"{}"}}}"#),
            plant("named value", "hunter2 and more".to_owned(), r#"{"password": "{}", "user": "me"}"#),
            plant("named value", "hunter2\\\"more".to_owned(), r#"{"password": "{}", "user": "me"}"#),
            plant("named value", "hunter2".to_owned(), "password: {}"),
            plant("named value", "ab[cd]ef)gh".to_owned(), "password={} for kim"),
            plant("named value", letters(12), "api_key='{}'"),
            plant("named value", letters(40), "aws_secret_access_key = {}"),
            plant("named value", letters(12), "client_secret:{}"),
            plant("named value", letters(12), r#""token": "{}"#),
            plant("named value", "hunter2".to_owned(), "비밀번호: {}"),
            plant("named argument", letters(12), "openclaw gateway --token {} --port 1"),
            plant("named argument", letters(12), r#"["openclaw", "--auth-token", "{}"]"#),
            plant("signed address", letters(32), "GET https://x.example/a?sig={}&b=1"),
        ];
        // As they come in a log.
        let within = |(rule, secret, text): &(&'static str, String, String)| {
            let line = format!("2026-11-22T14:03:22.123Z [gateway] {text}\n2026-11-22T14:03:23Z [gateway] ready\n");
            (*rule, secret.clone(), line)
        };
        let lines: Vec<_> = all.iter().map(within).collect();
        all.extend(lines);
        all
    }

    /// Pieces of the secret that are long enough to be of use to anybody.
    fn survives(secret: &str, text: &str) -> bool {
        let secret: Vec<char> = secret.chars().collect();
        secret.windows(6).any(|piece| text.contains(&piece.iter().collect::<String>()))
    }

    #[test]
    fn no_planted_secret_survives() {
        for (rule, secret, text) in planted() {
            let clean = redact(&text);
            assert!(!survives(&secret, &clean), "{rule}: {secret} survived in {clean}");
            assert!(clean.contains(HIDDEN), "{rule}: {text} became {clean}");
            assert!(!survives(&secret, &one_line(&text)), "{rule}: {}", one_line(&text));
            assert_eq!(redact(&clean), clean, "{rule}");
        }
    }

    #[test]
    fn every_kind_is_planted_and_found_by_its_own_rule() {
        let planted = planted();
        assert!(RULES.len() >= 30);
        for (name, shape, _) in RULES {
            let shape = compile(shape).unwrap();
            let mut of_it = planted.iter().filter(|(rule, ..)| *rule == name).peekable();
            assert!(of_it.peek().is_some(), "nothing is planted for {name}");
            for (_, _, text) in of_it {
                assert!(shape.is_match(text), "{name} does not find {text}");
            }
        }
    }

    #[test]
    fn ordinary_words_stay() {
        for text in [
            "it answers with errors: HTTP 500",
            "state-database, startup-sidecars",
            "another program (nginx, pid 4242) holds its port",
            "exit code 78: gateway.auth is missing",
            "2026-11-22T23:08:00.123Z [gateway] listening on ws://127.0.0.1:18789",
            "basic checks passed; token count 12",
            "task-list sk-etch",
            "/home/kim/.openclaw/agents/main/sessions/0b6f2a54-3f1c-4a7e-9f43-2a1d8c6b9e10.jsonl",
            "/Users/kim/Library/Application Support/Lifeguard/config.toml:12:3",
            "commit a130fbf2d7c51f0e9b8a7c6d5e4f3a2b1c0d9e8f, tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "agent:main:telegram:direct:12345 session 0b6f2a54-3f1c-4a7e-9f43-2a1d8c6b9e10",
            "usage: {\"inputTokens\": 12000, \"totalTokens\":4096, \"max_tokens\": 100}",
            "at Object.<anonymous> (/usr/lib/node_modules/openclaw/dist/entry.js:12:34)",
            "PWD=/home/kim SHELL=/bin/bash passwordFile: /etc/x",
            "https://github.com/openclaw/openclaw/issues/1234?page=2#issuecomment-1",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "게이트웨이가 멈췄습니다. 토큰 12개",
            "no [hidden] here",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn the_words_around_a_secret_stay() {
        let show = |text: &str| redact(text);
        assert_eq!(show("token=abcdef&x=1"), "token=[hidden]&x=1");
        assert_eq!(show(r#"{"password": "a b", "user": "me"}"#), r#"{"password": "[hidden]", "user": "me"}"#);
        assert_eq!(show("https://me:pass@host/x"), "https://[hidden]@host/x");
        assert_eq!(show("Authorization: Bearer abcdefgh1"), "Authorization: [hidden]");
        assert_eq!(show("password=[hidden]"), "password=[hidden]");
        assert_eq!(show(r#"password="[hidden]""#), r#"password="[hidden]""#);
    }

    #[test]
    fn an_invisible_character_hides_no_secret() {
        let key = letters(36);
        let text = format!("ghp_{}\u{200B}{} and tok\u{200D}en=\u{0}hunter2", &key[..5], &key[5..]);
        assert_eq!(one_line(&text), "[hidden] and token= [hidden]");
    }

    #[test]
    fn hostile_texts_take_no_longer_than_their_length() {
        const LENGTH: usize = 100_000;
        let hostile = [
            "a",
            "-",
            "\"",
            "token=",
            "token=\"",
            "token='\"",
            "token=\\\"",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
            "sk-",
            "eyJa.",
            "eyJaaaaaa.aaaaaa.",
            "https://",
            "https://a:",
            "a:b@",
            "1234567:",
            "authorization: ",
            "cookie: a=b",
            "[hidden]",
            "token=[hidden]",
            "--token ",
            "bearer ",
            "\n",
            " ",
            "\\",
            "bearer bearer1 ",
            "--token --token ",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
            "가",
            "\u{200B}",
            "SG.aaaaaaaaaaaaaaaa.",
            "Maaaaaaaaaaaaaaaaaaaaaaaa.aaaaaa.",
            "token=hf_aaaaaaaaaaaaaaaaaaaaaaaaa",
        ];
        for piece in hostile {
            let text = piece.repeat(LENGTH / piece.len());
            let begun = Instant::now();
            let clean = redact(&text);
            let took = begun.elapsed();
            // Unoptimised and on a busy machine; a quadratic rule takes minutes.
            assert!(took < Duration::from_secs(15), "{piece:?} took {took:?}");
            assert!(clean.len() <= text.len() * 12 + HIDDEN.len(), "{piece:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_turns_nothing_around() {
        assert_eq!(one_line("  a\n\tb\u{202E}c\u{0}\u{200F}d  "), "a bc d");
    }

    #[test]
    fn a_cut_text_ends_in_an_ellipsis() {
        assert_eq!(cut("gateway", 7), "gateway");
        assert_eq!(cut("게이트웨이", 4), "게이트…");
        assert_eq!(cut("one two", 5), "one…");
        assert_eq!(cut("x", 0), "");
    }

    /// Texts made of what the rules look for, in any order.
    fn suspicious() -> impl Strategy<Value = String> {
        let pieces = planted().into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
        let marks =
            ["[hidden]", "\"", "'", "\\", "\n", " ", "=", ":", "token", "--token", "cookie", "bot", "bearer", "@", "."];
        let piece = prop_oneof![
            prop::sample::select(pieces),
            prop::sample::select(marks.to_vec()).prop_map(str::to_owned),
            "\\PC{0,6}".prop_map(|text| text),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_grows_past_its_limit(text in any::<String>(), limit in 0_usize..40) {
            prop_assert!(cut(&text, limit).chars().count() <= limit);
        }

        #[test]
        fn a_redacted_text_stays_as_it_is(text in prop_oneof![any::<String>(), suspicious()]) {
            let clean = redact(&text);
            prop_assert_eq!(redact(&clean), clean);
            let line = one_line(&text);
            prop_assert_eq!(one_line(&line), line);
        }
    }
}
