//! What is said about the configuration file.

use super::place::PlaceProblem;
use super::{Language, Phrase};

/// What is wrong at one place of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigProblem {
    /// The file is not TOML; the parser's words.
    Syntax(String),
    /// There is no such key.
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// There is no such word for this key.
    UnknownWord {
        /// The word.
        word: String,
        /// The words that there are.
        known: Vec<String>,
    },
    /// The value is of the wrong kind; the parser's words.
    WrongValue {
        /// The key, if it is known.
        key: String,
        /// The parser's words.
        detail: String,
    },
    /// A duration of zero.
    Zero(String),
    /// A number outside its bounds.
    OutOfBounds {
        /// The key.
        key: String,
        /// Smallest value.
        least: u64,
        /// Largest value.
        most: u64,
    },
    /// A duration that is longer than another one allows.
    TooLong {
        /// The key.
        key: String,
        /// The key of the duration that it may not exceed.
        limit: String,
    },
    /// A list that may not be empty.
    EmptyList(String),
    /// A text that may not be empty.
    EmptyText(String),
    /// Two gateways with the same name.
    SameName(String),
    /// Two gateways with the same port.
    SamePort(u16),
    /// A gateway's name that could not be used for files.
    BadName,
    /// A profile's name that OpenClaw does not take.
    BadProfile,
    /// A name of an environment variable that the system does not take.
    BadVariable(String),
    /// What ought to be `host:port`.
    BadHost(String),
    /// A text that is too long.
    TooManyLetters {
        /// The key.
        key: String,
        /// Most letters.
        most: usize,
    },
    /// A webhook that is not one of Discord's. Never shows the address.
    NotDiscord,
    /// An address that no ping can go to. Never shows the address.
    NotAPingAddress,
    /// A webhook that is not one of Slack's.
    NotSlack,
    /// What ought to be a Telegram bot's token.
    NotABotToken,
    /// What ought to be a Telegram chat.
    NotAChat,
    /// What ought to be the address of an ntfy topic.
    NotATopic,
    /// A token that cannot stand in a request.
    NotAToken,
    /// An address that nothing can be posted to. Never shows the address.
    NotAWebhook,
    /// A key that cannot sign.
    NotASigningKey,
    /// What ought to be a web address.
    NotALink(String),
    /// What ought to be two times of day.
    NotHours,
    /// A fallback that is no configured channel, or the only one.
    NotAFallback,
    /// A key that the others of its table need.
    Missing(String),
    /// A secret that could not be had; the reason contains no secret.
    NoSecret(PlaceProblem),
}

impl ConfigProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self, language: Language) -> Option<String> {
        let text = match self {
            Self::UnknownKey { key: word, known } | Self::UnknownWord { word, known } => {
                return Some(match (nearest(word, known), language) {
                    (Some(nearest), Language::English) => format!("Did you mean `{nearest}`?"),
                    (Some(nearest), Language::Korean) => format!("`{nearest}`을(를) 쓰려던 것인가요?"),
                    (None, Language::English) => format!("Possible here: {}.", known.join(", ")),
                    (None, Language::Korean) => format!("여기에 쓸 수 있는 값: {}.", known.join(", ")),
                });
            }
            Self::WrongValue { key, .. } if key == "port" => {
                language.pick("A port is a number from 1 to 65535.", "포트는 1부터 65535까지의 숫자입니다.")
            }
            Self::WrongValue { detail, .. } if detail.contains("duration") || detail.contains("Duration") => language
                .pick(
                    "Write a duration with its unit, such as \"10s\", \"5m\" or \"6h\".",
                    "기간은 \"10s\", \"5m\", \"6h\"처럼 단위와 함께 쓰세요.",
                ),
            Self::WrongValue { .. } | Self::Syntax(_) => language
                .pick("docs/config.md shows every key with an example.", "모든 키와 예시는 docs/config.md에 있습니다."),
            Self::Zero(_) => language.pick("Write a duration such as \"10s\".", "\"10s\"와 같은 기간을 쓰세요."),
            Self::TooLong { limit, .. } => {
                return Some(match language {
                    Language::English => format!("Make it shorter, or `{limit}` longer."),
                    Language::Korean => format!("이 값을 줄이거나 `{limit}` 값을 늘리세요."),
                });
            }
            Self::EmptyList(_) | Self::EmptyText(_) => {
                language.pick("Write a value, or leave the line out.", "값을 쓰거나 그 줄을 지우세요.")
            }
            Self::SameName(_) => {
                language.pick("Give each gateway a `name` of its own.", "게이트웨이마다 다른 `name`을 쓰세요.")
            }
            Self::SamePort(_) => {
                language.pick("Give each gateway a `port` of its own.", "게이트웨이마다 다른 `port`를 쓰세요.")
            }
            Self::BadName => language.pick(
                "Use up to 64 letters, digits, spaces, dots, dashes and underlines; begin with a letter or a digit.",
                "글자, 숫자, 공백, 점, 붙임표, 밑줄을 64자까지 쓸 수 있고 글자나 숫자로 시작해야 합니다.",
            ),
            Self::BadProfile => language.pick(
                "Use up to 64 Latin letters, digits, dashes and underlines.",
                "영문자, 숫자, 붙임표, 밑줄을 64자까지 쓸 수 있습니다.",
            ),
            Self::NotDiscord => language.pick(
                "In Discord: channel settings, Integrations, Webhooks, Copy Webhook URL.",
                "Discord의 채널 설정 > 연동 > 웹후크에서 웹후크 URL을 복사하세요.",
            ),
            Self::NotAPingAddress => language.pick(
                "Copy the ping URL of the check, such as https://hc-ping.com/…; it must begin with https://.",
                "점검의 핑 주소(예: https://hc-ping.com/…)를 복사하세요. https://로 시작해야 합니다.",
            ),
            Self::NotSlack => language.pick(
                "In Slack: your app's settings, Incoming Webhooks, Copy; it begins with https://hooks.slack.com/services/.",
                "Slack 앱 설정의 Incoming Webhooks에서 복사하세요. https://hooks.slack.com/services/로 시작합니다.",
            ),
            Self::NotABotToken => language.pick(
                "Telegram's @BotFather gives it: digits, a colon, and a key.",
                "Telegram의 @BotFather가 알려 주는 값입니다(숫자, 콜론, 키).",
            ),
            Self::NotAChat => language.pick(
                "Write the chat's number as a text, \"-1001234567890\", or \"@name\" of a public one.",
                "대화방 번호를 \"-1001234567890\"처럼 문자열로 쓰거나 공개 대화방의 \"@이름\"을 쓰세요.",
            ),
            Self::NotATopic => language.pick(
                "Write it as \"https://ntfy.sh/your-topic\": letters, digits, dashes and underlines, up to 64.",
                "\"https://ntfy.sh/your-topic\"처럼 쓰세요. 주제는 영문자, 숫자, 붙임표, 밑줄 64자까지입니다.",
            ),
            Self::NotAToken => language.pick(
                "Copy it whole, without spaces: it looks like tk_….",
                "공백 없이 온전히 복사하세요. tk_… 형태입니다.",
            ),
            Self::NotAWebhook => language.pick(
                "It must begin with https://; http:// is only allowed for this very machine.",
                "https://로 시작해야 합니다. http://는 이 컴퓨터에만 쓸 수 있습니다.",
            ),
            Self::NotASigningKey => language.pick(
                "Any text will do; after \"whsec_\" it must be base64.",
                "아무 문자열이나 쓸 수 있지만 \"whsec_\" 뒤에는 base64여야 합니다.",
            ),
            Self::NotALink(_) => language.pick(
                "Write it whole, such as \"https://example.org/status\".",
                "\"https://example.org/status\"처럼 온전히 쓰세요.",
            ),
            Self::NotHours => {
                language.pick("Write them as \"23:00-07:00\".", "\"23:00-07:00\"처럼 쓰세요.")
            }
            Self::NotAFallback => language.pick(
                "Name a channel that is configured beside another one, such as \"telegram\".",
                "다른 채널과 함께 설정된 채널의 이름을 쓰세요(예: \"telegram\").",
            ),
            Self::BadHost(_) => {
                language.pick("Write it as `api.telegram.org:443`.", "`api.telegram.org:443`처럼 적으세요.")
            }
            Self::OutOfBounds { .. }
            | Self::BadVariable(_)
            | Self::TooManyLetters { .. }
            | Self::Missing(_)
            | Self::NoSecret(_) => return None,
        };
        Some(text.to_owned())
    }
}

/// The known word that is meant most likely.
fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a String> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

impl Phrase for ConfigProblem {
    fn say(&self, language: Language) -> String {
        match (self, language) {
            (Self::Syntax(detail), Language::English) => format!("this is not TOML: {detail}"),
            (Self::Syntax(detail), Language::Korean) => format!("TOML 형식이 아닙니다: {detail}"),
            (Self::UnknownKey { key, .. }, Language::English) => format!("there is no key `{key}` here"),
            (Self::UnknownKey { key, .. }, Language::Korean) => format!("여기에는 `{key}` 키가 없습니다"),
            (Self::UnknownWord { word, .. }, Language::English) => format!("`{word}` is not a possible value here"),
            (Self::UnknownWord { word, .. }, Language::Korean) => format!("`{word}`은(는) 여기에 쓸 수 없는 값입니다"),
            (Self::WrongValue { key, detail }, Language::English) => {
                format!("`{key}` cannot have this value: {detail}")
            }
            (Self::WrongValue { key, detail }, Language::Korean) => format!("`{key}`에 쓸 수 없는 값입니다: {detail}"),
            (Self::Zero(key), Language::English) => format!("`{key}` must be longer than zero"),
            (Self::Zero(key), Language::Korean) => format!("`{key}`은(는) 0보다 길어야 합니다"),
            (Self::OutOfBounds { key, least, most }, Language::English) => {
                format!("`{key}` must be from {least} to {most}")
            }
            (Self::OutOfBounds { key, least, most }, Language::Korean) => {
                format!("`{key}`은(는) {least}부터 {most}까지여야 합니다")
            }
            (Self::TooLong { key, limit }, Language::English) => format!("`{key}` is longer than `{limit}`"),
            (Self::TooLong { key, limit }, Language::Korean) => format!("`{key}`이(가) `{limit}`보다 깁니다"),
            (Self::EmptyList(key) | Self::EmptyText(key), Language::English) => format!("`{key}` is empty"),
            (Self::EmptyList(key) | Self::EmptyText(key), Language::Korean) => format!("`{key}`이(가) 비어 있습니다"),
            (Self::SameName(name), Language::English) => format!("another gateway is called \"{name}\" already"),
            (Self::SameName(name), Language::Korean) => format!("\"{name}\" 이름을 쓰는 게이트웨이가 이미 있습니다"),
            (Self::SamePort(port), Language::English) => format!("another gateway has port {port} already"),
            (Self::SamePort(port), Language::Korean) => format!("포트 {port}을(를) 쓰는 게이트웨이가 이미 있습니다"),
            (Self::BadName, Language::English) => "this `name` cannot be used for files".to_owned(),
            (Self::BadName, Language::Korean) => "이 `name`은 파일 이름으로 쓸 수 없습니다".to_owned(),
            (Self::BadProfile, Language::English) => "OpenClaw does not take this `profile`".to_owned(),
            (Self::BadProfile, Language::Korean) => "OpenClaw에서 쓸 수 없는 `profile`입니다".to_owned(),
            (Self::BadVariable(name), Language::English) => format!("`{name}` cannot be the name of a variable"),
            (Self::BadVariable(name), Language::Korean) => format!("`{name}`은(는) 변수 이름이 될 수 없습니다"),
            (Self::BadHost(host), Language::English) => format!("`{host}` is not a host and its port"),
            (Self::BadHost(host), Language::Korean) => format!("`{host}`은(는) 호스트와 포트가 아닙니다"),
            (Self::TooManyLetters { key, most }, Language::English) => format!("`{key}` has more than {most} letters"),
            (Self::TooManyLetters { key, most }, Language::Korean) => format!("`{key}`이(가) {most}자를 넘습니다"),
            (Self::NotDiscord, Language::English) => {
                "this is not the address of a Discord webhook (https://discord.com/api/webhooks/…)".to_owned()
            }
            (Self::NotDiscord, Language::Korean) => {
                "Discord 웹후크 주소가 아닙니다 (https://discord.com/api/webhooks/…)".to_owned()
            }
            (Self::NotAPingAddress, Language::English) => "this is not an address to ping".to_owned(),
            (Self::NotAPingAddress, Language::Korean) => "핑을 보낼 수 있는 주소가 아닙니다".to_owned(),
            (Self::NotSlack, _) => language
                .pick("this is not the address of a Slack incoming webhook", "Slack 수신 웹훅 주소가 아닙니다")
                .to_owned(),
            (Self::NotABotToken, _) => {
                language.pick("this is not the token of a Telegram bot", "Telegram 봇 토큰이 아닙니다").to_owned()
            }
            (Self::NotAChat, _) => {
                language.pick("this is not a Telegram chat", "Telegram 대화방이 아닙니다").to_owned()
            }
            (Self::NotATopic, _) => {
                language.pick("this is not the address of an ntfy topic", "ntfy 주제의 주소가 아닙니다").to_owned()
            }
            (Self::NotAToken, _) => language.pick("this is not a token", "토큰이 아닙니다").to_owned(),
            (Self::NotAWebhook, _) => {
                language.pick("nothing can be posted to this address", "전송할 수 없는 주소입니다").to_owned()
            }
            (Self::NotASigningKey, _) => language.pick("this key cannot sign", "서명에 쓸 수 없는 키입니다").to_owned(),
            (Self::NotHours, _) => language.pick("these are not two times of day", "두 시각이 아닙니다").to_owned(),
            (Self::NotAFallback, _) => {
                language.pick("this channel cannot be the fallback", "대체 채널로 쓸 수 없습니다").to_owned()
            }
            (Self::NotALink(key), Language::English) => format!("`{key}` is not a web address"),
            (Self::NotALink(key), Language::Korean) => format!("`{key}`이(가) 웹 주소가 아닙니다"),
            (Self::Missing(key), Language::English) => format!("`{key}` is missing here"),
            (Self::Missing(key), Language::Korean) => format!("`{key}` 값이 필요합니다"),
            (Self::NoSecret(reason), Language::English) => format!("the secret is not there: {}", reason.say(language)),
            (Self::NoSecret(reason), Language::Korean) => {
                format!("비밀 값을 읽을 수 없습니다: {}", reason.say(language))
            }
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigTrouble {
    /// The file cannot be read; what the system said.
    Unreadable(String),
    /// The file is larger than a configuration can be.
    TooLarge,
    /// The file is not text.
    NotText,
    /// So many problems were found in it.
    Problems(usize),
}

impl Phrase for ConfigTrouble {
    fn say(&self, language: Language) -> String {
        match (self, language) {
            (Self::Unreadable(cause), Language::English) => {
                format!(
                    "the configuration cannot be read: {cause}. Mend its permissions, or name another file with --config."
                )
            }
            (Self::Unreadable(cause), Language::Korean) => {
                format!("설정 파일을 읽을 수 없습니다: {cause}. 권한을 고치거나 --config로 다른 파일을 지정하세요.")
            }
            (Self::TooLarge, Language::English) => {
                "the configuration is larger than 1 MB: is it the right file?".to_owned()
            }
            (Self::TooLarge, Language::Korean) => "설정 파일이 1 MB보다 큽니다. 올바른 파일인지 확인하세요.".to_owned(),
            (Self::NotText, Language::English) => {
                "the configuration is not UTF-8 text: is it the right file?".to_owned()
            }
            (Self::NotText, Language::Korean) => {
                "설정 파일이 UTF-8 텍스트가 아닙니다. 올바른 파일인지 확인하세요.".to_owned()
            }
            (Self::Problems(1), Language::English) => "the configuration has a problem:".to_owned(),
            (Self::Problems(count), Language::English) => format!("the configuration has {count} problems:"),
            (Self::Problems(count), Language::Korean) => format!("설정 파일에 문제가 {count}개 있습니다:"),
        }
    }
}

/// What a person is told who started Lifeguard with a configuration that cannot be used; `brief` says why not.
#[must_use]
pub fn not_used(brief: &str, language: Language) -> String {
    match language {
        Language::English => {
            format!("Lifeguard only looks and heals nothing. Mend the configuration and start it again. {brief}")
        }
        Language::Korean => {
            format!("확인만 하고 복구하지 않습니다. 설정을 고친 뒤 Lifeguard를 다시 시작하세요. {brief}")
        }
    }
}

/// What is said of a configuration file that was changed while Lifeguard runs.
pub mod reloaded {
    use super::Language;

    /// It cannot be used: why, in one line.
    #[must_use]
    pub fn refused(brief: &str, language: Language) -> String {
        match language {
            Language::English => format!("The changed configuration is not used; the old one stays in force. {brief}"),
            Language::Korean => format!("바뀐 설정을 쓸 수 없어 이전 설정을 유지합니다. {brief}"),
        }
    }

    /// Some of it, or all of it, holds only after the next start.
    #[must_use]
    pub fn needs_start(language: Language) -> String {
        language
            .pick(
                "The configuration has changed: quit Lifeguard and start it again to use all of it.",
                "설정이 바뀌었습니다. 모두 적용하려면 Lifeguard를 종료하고 다시 시작하세요.",
            )
            .to_owned()
    }
}
