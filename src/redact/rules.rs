//! What secrets look like.

/// A kind of secret: its name, its shape, and what to put in its place.
pub(super) type Rule = (&'static str, &'static str, &'static str);

/// The kinds, most specific first: a later one must not tear an earlier one apart.
///
/// Each shape is the one that its issuer documents, with some slack in the lengths, since those have changed before.
/// Boundaries are those of ASCII: a token that touches Korean words is one as well.
pub(super) const RULES: [Rule; 43] = [
    (
        "private key",
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        "[hidden]",
    ),
    (
        "private key whose beginning was cut off",
        r"(?:[^\n]*[A-Za-z0-9+/]{40,}={0,2}\s*\n)*(?:[^\n]*\n)?[^\n]*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        "[hidden]",
    ),
    ("age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}", "[hidden]"),
    // Addresses that are secrets as a whole.
    ("Discord webhook", r"(?i)(https?://[^\s/]+/api/(?:v[0-9]+/)?webhooks)/[0-9]+/[\w-]+", "$1/[hidden]"),
    (
        "Slack webhook",
        r"(?i)(https?://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers))/[\w/-]+",
        "$1/[hidden]",
    ),
    (
        "Teams webhook",
        r"(?i)(https?://[\w.-]+\.(?:office\.com|logic\.azure\.com)(?::[0-9]+)?/(?:webhook|workflows))[^\s\x22'<>]+",
        "$1[hidden]",
    ),
    ("dead-man's switch", r"(?i)(https?://(?:hc-ping\.com|healthchecks\.io/ping))/[\w-]+", "$1/[hidden]"),
    ("password in an address", r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+@", "$1[hidden]@"),
    ("token in an address", r"(?i)\b(https?://)[\w~%+.-]{16,}@", "$1[hidden]@"),
    ("Telegram bot", r"\b(bot)?[0-9]{6,12}:[\w-]{30,}", "$1[hidden]"),
    ("JSON web token", r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*){1,3}", "[hidden]"),
    // Headers, as in HTTP and as in JSON.
    (
        "authorization header",
        r"(?i)(authorization\\?[\x22']?\s*[:=]\s*\\?[\x22']?)[^\s\x22'\\][^\n\x22'\\]*",
        "$1[hidden]",
    ),
    (
        "cookie",
        r"(?i)(cookie2?\\?[\x22']?\s*[:=]\s*(?:\[\s*)?\\?[\x22']?)[\w!#$%&*+.^`|~-]+=[^\n\x22'\\]*",
        "$1[hidden]",
    ),
    ("bearer or basic token", r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}", "$1 [hidden]"),
    // Keys with a prefix of their issuer's.
    ("OpenAI", r"\bsk-(?:proj|svcacct|admin)-[\w-]{12,}", "[hidden]"),
    ("Anthropic", r"\bsk-ant-[\w-]{12,}", "[hidden]"),
    ("OpenRouter", r"\bsk-or-[\w-]{12,}", "[hidden]"),
    ("Stripe", r"\b(?:[spr]k_(?:live|test|prod)_|whsec_)[\w+/=-]{12,}", "[hidden]"),
    ("secret key", r"\b[spr]k[-_][\w-]{12,}", "[hidden]"),
    ("Slack", r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{8,}", "[hidden]"),
    ("GitHub", r"\bgh[a-z]_[A-Za-z0-9_]{16,}", "[hidden]"),
    ("GitHub, fine-grained", r"\bgithub_pat_\w{16,}", "[hidden]"),
    ("GitLab", r"\bgl(?:pat|ptt|dt|rt|cbt|soat|agent|oas|ft|imt|ffct)-[\w.-]{16,}", "[hidden]"),
    ("AWS key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", "[hidden]"),
    ("Google key", r"\bAIza[\w-]{30,}", "[hidden]"),
    ("Google sign-in", r"\b(?:ya29\.[\w.-]{16,}|GOCSPX-[\w-]{16,}|1//0[\w-]{20,})", "[hidden]"),
    ("npm", r"\bnpm_[A-Za-z0-9]{16,}", "[hidden]"),
    ("PyPI", r"\bpypi-[\w-]{16,}", "[hidden]"),
    ("Hugging Face", r"\b(?:hf|api_org)_[A-Za-z0-9]{16,}", "[hidden]"),
    ("Groq, xAI, Perplexity, Replicate", r"\b(?:gsk_|xai-|pplx-|r8_)[A-Za-z0-9]{16,}", "[hidden]"),
    ("Tailscale", r"\btskey-[\w-]{12,}", "[hidden]"),
    ("Twilio", r"\b(?:AC|SK)[0-9a-f]{32}\b", "[hidden]"),
    ("SendGrid", r"\bSG\.[\w-]{16,}\.[\w-]{16,}", "[hidden]"),
    ("Mailgun", r"\bkey-[0-9a-f]{32}\b", "[hidden]"),
    ("DigitalOcean", r"\bdo[opr]_v1_[0-9a-f]{32,}", "[hidden]"),
    ("Shopify", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,}", "[hidden]"),
    ("Linear, Notion", r"\b(?:lin_(?:api|oauth)_|ntn_|secret_)[A-Za-z0-9]{30,}", "[hidden]"),
    ("ntfy", r"\btk_[a-z0-9]{29}\b", "[hidden]"),
    // Three parts, the first the bot's number in base 64.
    ("Discord bot", r"\b[MNO][\w-]{22,}\.[\w-]{6}\.[\w-]{27,}", "[hidden]"),
    // Whatever calls itself a secret: `token=…`, `"password": "…"`, `--api-key …`, and the same within a JSON text.
    (
        "named value within a text",
        r#"(?i)((?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)\\+["']\s*[=:]\s*\\+["'])[^"'\\\n]+"#,
        "$1[hidden]",
    ),
    (
        "named value",
        r#"(?i)((?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature|비밀번호|암호|토큰)["']?\s*[=:]\s*)(?:(")(?:[^"\\\n]|\\.)+"?|(')(?:[^'\\\n]|\\.)+'?|[^\s"',;&]+)"#,
        "$1$2$3[hidden]$2$3",
    ),
    (
        "named argument",
        r#"(?i)(--[a-z0-9-]*(?:token|passw(?:or)?d|passphrase|secret|api-key)["']?,?\s+["']?)[^\s"'-][^\s"']*"#,
        "$1[hidden]",
    ),
    (
        "signed address",
        r"(?i)([?&](?:sig|x-amz-credential|x-amz-security-token|access_token|key)=)[\w%.~+/=-]{8,}",
        "$1[hidden]",
    ),
];
