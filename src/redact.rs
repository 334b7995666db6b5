//! Makes a text fit to leave the machine: secrets cut out, control and direction characters removed.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// A shape of secret, and what to put in its place: the part that is no secret, and `[hidden]`.
struct Pattern {
    shape: Regex,
    replacement: &'static str,
}

/// The shapes, most specific first: a later one must not tear an earlier one apart.
///
/// Each is the form that its issuer documents, with some slack in the lengths, since those have changed before.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    [
        // A private key in PEM, also when the end has been cut off.
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", "[hidden]"),
        // Webhooks: Discord, Slack, Teams.
        (r"(?i)(https?://[^\s/]+/api/(?:v\d+/)?webhooks)/\d+/[\w-]+", "$1/[hidden]"),
        (r"(?i)(https?://hooks\.slack\.com/(?:services|workflows|triggers))/[\w/-]+", "$1/[hidden]"),
        // User and password in an address.
        (r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+@", "$1[hidden]@"),
        // A Telegram bot's token, alone or in an address.
        (r"\b(bot)?\d{6,12}:[A-Za-z0-9_-]{30,}", "$1[hidden]"),
        // A JSON web token.
        (r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*", "[hidden]"),
        // Headers.
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", "$1 [hidden]"),
        // Keys with a prefix: OpenAI, Anthropic, OpenRouter, Stripe.
        (r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}", "[hidden]"),
        // Slack, GitHub, GitLab, AWS, Google, npm, Hugging Face, Groq, xAI, Tailscale.
        (r"\bxox[a-z]-[A-Za-z0-9-]{8,}", "[hidden]"),
        (r"\bxapp-[A-Za-z0-9-]{8,}", "[hidden]"),
        (r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,})", "[hidden]"),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "[hidden]"),
        (r"\bAIza[\w-]{30,}", "[hidden]"),
        (r"\b(?:npm_|hf_|gsk_|xai-|tskey-)[A-Za-z0-9-]{16,}", "[hidden]"),
        // A Discord bot's token: three parts, the first the bot's number in base 64.
        (r"\b[MNO][A-Za-z\d_-]{22,}\.[\w-]{6}\.[\w-]{27,}", "[hidden]"),
        // Whatever calls itself a secret: `token=…`, `"password": "…"`, `--api-key …`.
        (
            r#"(?i)([\w-]*(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"')\]}]+)"#,
            "$1[hidden]",
        ),
        (
            r"(?i)(--[\w-]*(?:token|passw(?:or)?d|passphrase|secret|api-key)\s+)[^\s-]\S*",
            "$1[hidden]",
        ),
    ]
    .into_iter()
    .filter_map(|(shape, replacement)| Some(Pattern { shape: Regex::new(shape).ok()?, replacement }))
    .collect()
});

/// The text without what looks like a secret.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = Cow::Borrowed(text);
    for pattern in PATTERNS.iter() {
        if let Cow::Owned(changed) = pattern.shape.replace_all(&clean, pattern.replacement) {
            clean = Cow::Owned(changed);
        }
    }
    clean.into_owned()
}

/// Characters of a text from outside that are looked at: four times what the longest place can show, so that no
/// secret is cut in two just where it would be seen.
const LOOKED_AT: usize = 16_384;

/// The text on one line, without secrets and without characters that could disturb the text around it: control
/// characters, and those that turn the direction of writing.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    let looked_at = text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end]);
    for character in redact(looked_at).chars() {
        let shown = match character {
            character if character.is_whitespace() || character.is_control() => ' ',
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' => continue,
            character => character,
        };
        if !(shown == ' ' && (line.is_empty() || line.ends_with(' '))) {
            line.push(shown);
        }
    }
    line.truncate(line.trim_end().len());
    line
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pattern_is_a_valid_one() {
        assert_eq!(PATTERNS.len(), 17);
    }

    /// What must be gone, and a text that it stands in. Put together at run time, so that no scanner takes this
    /// file for a leak.
    fn planted() -> Vec<(String, String)> {
        let letters = |count: usize| "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7".chars().cycle().take(count).collect::<String>();
        let upper = "ABCDEFGHIJ234567".to_owned();
        let plant = |secret: String, before: &str, after: &str| (secret.clone(), format!("{before}{secret}{after}"));
        vec![
            plant(letters(60), "POST https://discord.com/api/webhooks/1234567890/", " failed"),
            plant(letters(60), "https://ptb.discord.com/api/v10/webhooks/1234567890/", "?wait=true"),
            plant(letters(24), "https://hooks.slack.com/services/T000/B000/", ""),
            plant(letters(20), "postgres://user:", "@db.local/x"),
            plant(letters(20), "clone https://me:", "@git.example.org/a.git"),
            plant(format!("1234567890:{}", letters(35)), "https://api.telegram.org/bot", "/sendMessage"),
            plant(format!("987654321:{}", letters(35)), "telegram ", " refused"),
            plant(format!("eyJ{}.eyJ{}.{}", letters(20), letters(30), letters(43)), "jwt ", "!"),
            plant(letters(32), "Authorization: Bearer ", ""),
            plant(letters(32), "authorization: basic ", "=="),
            plant(format!("sk-{}", letters(48)), "key ", " is wrong"),
            plant(format!("sk-proj-{}", letters(48)), "key ", ""),
            plant(format!("sk-ant-api03-{}", letters(80)), "Anthropic said no to ", "."),
            plant(format!("sk-or-v1-{}", letters(64)), "", ""),
            plant(format!("sk_live_{}", letters(24)), "stripe ", ""),
            plant(format!("xoxb-{}", letters(40)), "slack ", ""),
            plant(format!("xapp-{}", letters(40)), "slack ", ""),
            plant(format!("ghp_{}", letters(36)), "github ", ""),
            plant(format!("github_pat_{}", letters(60)), "github ", ""),
            plant(format!("glpat-{}", letters(20)), "gitlab ", ""),
            plant(format!("AKIA{upper}"), "aws ", " used"),
            plant(format!("AIza{}", letters(35)), "google ", ""),
            plant(format!("npm_{}", letters(36)), "", " in .npmrc"),
            plant(format!("hf_{}", letters(34)), "", ""),
            plant(format!("gsk_{}", letters(40)), "", ""),
            plant(format!("M{}.{}.{}", letters(25), letters(6), letters(38)), "discord bot ", ""),
            plant(letters(12), "token=", "&x=1"),
            plant(letters(12), "OPENCLAW_GATEWAY_TOKEN=", " node"),
            plant("hunter2 and more".to_owned(), r#"{"password": ""#, r#"", "user": "me"}"#),
            plant("hunter2".to_owned(), "password: ", ""),
            plant(letters(12), "api_key='", "'"),
            plant(letters(12), "client_secret:", ""),
            plant(letters(12), "openclaw gateway --token ", " --port 1"),
            plant(letters(40), "-----BEGIN RSA PRIVATE KEY-----\n", "\n-----END RSA PRIVATE KEY-----"),
            plant(letters(40), "-----BEGIN PRIVATE KEY-----\n", ""),
        ]
    }

    #[test]
    fn no_planted_secret_survives() {
        for (secret, text) in planted() {
            let clean = redact(&text);
            assert!(!clean.contains(&secret), "{secret} survived in {clean}");
            assert!(clean.contains("[hidden]"), "{text} became {clean}");
            assert!(!one_line(&text).contains(&secret));
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
        ] {
            assert_eq!(redact(text), text);
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_grows_past_its_limit(text in any::<String>(), limit in 0_usize..40) {
            prop_assert!(cut(&text, limit).chars().count() <= limit);
        }

        #[test]
        fn a_redacted_text_stays_as_it_is(text in any::<String>()) {
            let once = one_line(&text);
            prop_assert_eq!(one_line(&once), once);
        }
    }
}
