//! What each path answers. Shapes, texts and headers are those measured on the real gateway.

use std::time::Duration;

use serde::Serialize;

use super::version::Version;

/// How far the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Ready,
    Draining,
}

/// All that an answer depends on.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) version: Version,
    pub(super) phase: Phase,
    /// Since the HTTP server of this generation began to listen.
    pub(super) uptime: Duration,
    /// Reasons not to be ready, beside those of the phase.
    pub(super) failing: Vec<String>,
    /// Channels held back.
    pub(super) suppressed: Vec<String>,
    /// Whether unknown paths answer with the web page.
    pub(super) has_page: bool,
}

/// The type of JSON bodies.
const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
}

#[derive(Serialize)]
struct HealthBody {
    ok: bool,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartupBody {
    ok: bool,
    status: &'static str,
    version: &'static str,
    uptime_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadyBody {
    ready: bool,
    failing: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressed: Vec<String>,
    uptime_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_loop: Option<serde_json::Value>,
}

/// The three questions that a probe asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProbePath {
    Health,
    Ready,
    Startup,
}

impl ProbePath {
    /// The question that a path asks of this version.
    pub(super) fn of(path: &str, version: Version) -> Option<Self> {
        match path {
            "/health" | "/healthz" if version.has_health() => Some(Self::Health),
            "/ready" | "/readyz" if version.has_health() => Some(Self::Ready),
            "/startup" | "/startupz" if version.has_startup() => Some(Self::Startup),
            _ => None,
        }
    }
}

/// The answer to a request.
pub(super) fn answer(method: &str, path: &str, view: &View) -> Reply {
    let reading = matches!(method, "GET" | "HEAD");
    if let Some(probe) = ProbePath::of(path, view.version) {
        return if reading { probed(probe, view) } else { not_allowed("GET, HEAD") };
    }
    match path {
        "/tools/invoke" if method != "POST" => not_allowed("POST"),
        "/api/channels" => {
            let mut reply = text(401, r#"{"error":{"message":"Unauthorized","type":"unauthorized"}}"#);
            reply.headers = vec![JSON];
            reply
        }
        _ if path.starts_with("/assets/") && view.has_page => {
            let mut reply = text(404, "Not Found");
            reply.headers.push(("X-Frame-Options", "DENY"));
            reply
        }
        _ if belongs_to_api(path) && view.phase == Phase::Starting => {
            let mut reply = text(503, "Service Unavailable");
            reply.headers.push(("Retry-After", "1"));
            reply
        }
        _ if belongs_to_api(path) || !reading || !view.has_page || below_a_fixed_path(path) => text(404, "Not Found"),
        _ => page(),
    }
}

fn belongs_to_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path.starts_with("/v1/") || path == "/tools/invoke"
}

fn below_a_fixed_path(path: &str) -> bool {
    ["/health/", "/healthz/", "/ready/", "/readyz/", "/startup/", "/startupz/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn probed(probe: ProbePath, view: &View) -> Reply {
    let uptime_ms = view.uptime.as_millis();
    match probe {
        ProbePath::Health => json_of(200, &HealthBody { ok: true, status: "live" }),
        ProbePath::Startup => {
            let (ok, status) = match view.phase {
                Phase::Starting => (false, "starting"),
                Phase::Ready => (true, "started"),
                Phase::Draining => (false, "draining"),
            };
            let pending_reason = (view.phase == Phase::Starting).then_some("startup-sidecars");
            let body = StartupBody { ok, status, version: view.version.name(), uptime_ms, pending_reason };
            json_of(if ok { 200 } else { 503 }, &body)
        }
        ProbePath::Ready => {
            let failing = match view.phase {
                Phase::Starting => vec!["startup-sidecars".to_owned()],
                Phase::Draining => vec!["gateway-draining".to_owned()],
                Phase::Ready => view.failing.clone(),
            };
            let ready = failing.is_empty();
            let suppressed = if view.phase == Phase::Ready { view.suppressed.clone() } else { Vec::new() };
            let measured = view.uptime >= Duration::from_secs(1) && view.phase != Phase::Draining;
            let event_loop = measured.then(idle_event_loop);
            let body = ReadyBody { ready, failing, suppressed, uptime_ms, event_loop };
            json_of(if ready { 200 } else { 503 }, &body)
        }
    }
}

/// The figures of an idle gateway; the real one has a window of them only after its first second.
fn idle_event_loop() -> serde_json::Value {
    serde_json::json!({
        "degraded": false,
        "degradedSinceMs": null,
        "reasons": [],
        "intervalMs": 1013.1,
        "delayP99Ms": 21.3,
        "delayMaxMs": 21.3,
        "utilization": 0.006,
        "cpuCoreRatio": 0.008,
        "cpuBreakdown": {"mainThreadCoreRatio": 0.008, "hostUtilization": 0, "hostCpuCount": 2},
    })
}

fn json_of(status: u16, body: &impl Serialize) -> Reply {
    match serde_json::to_vec(body) {
        Ok(body) => json(status, body),
        Err(error) => text(500, &error.to_string()),
    }
}

/// JSON as the probe paths send it.
pub(super) fn json(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, headers: vec![JSON, ("Cache-Control", "no-store")], body }
}

/// Plain text.
pub(super) fn text(status: u16, body: &str) -> Reply {
    Reply { status, headers: vec![("Content-Type", "text/plain; charset=utf-8")], body: body.as_bytes().to_vec() }
}

/// The web page that answers for every path without a meaning of its own.
pub(super) fn page() -> Reply {
    let headers = vec![
        ("X-Frame-Options", "DENY"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-cache"),
        ("Vary", "Accept-Encoding"),
    ];
    let body =
        b"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>OpenClaw Control</title></head>\
        <body>Practice gateway of Lifeguard</body></html>\n";
    Reply { status: 200, headers, body: body.to_vec() }
}

fn not_allowed(allow: &'static str) -> Reply {
    let mut reply = text(405, "Method Not Allowed");
    reply.headers.push(("Allow", allow));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(phase: Phase) -> View {
        View {
            version: Version::V2026_9_6,
            phase,
            uptime: Duration::from_millis(700),
            failing: Vec::new(),
            suppressed: Vec::new(),
            has_page: true,
        }
    }

    fn said(path: &str, view: &View) -> String {
        let reply = answer("GET", path, view);
        format!("{} {}", reply.status, String::from_utf8(reply.body).unwrap())
    }

    #[test]
    fn the_bodies_are_byte_for_byte_the_real_ones() {
        assert_eq!(said("/health", &view(Phase::Draining)), r#"200 {"ok":true,"status":"live"}"#);
        assert_eq!(
            said("/startupz", &view(Phase::Starting)),
            r#"503 {"ok":false,"status":"starting","version":"2026.9.6","uptimeMs":700,"pendingReason":"startup-sidecars"}"#
        );
        assert_eq!(
            said("/startup", &view(Phase::Ready)),
            r#"200 {"ok":true,"status":"started","version":"2026.9.6","uptimeMs":700}"#
        );
        assert_eq!(
            said("/readyz", &view(Phase::Starting)),
            r#"503 {"ready":false,"failing":["startup-sidecars"],"uptimeMs":700}"#
        );
        assert_eq!(
            said("/ready", &view(Phase::Draining)),
            r#"503 {"ready":false,"failing":["gateway-draining"],"uptimeMs":700}"#
        );
        assert_eq!(said("/readyz", &view(Phase::Ready)), r#"200 {"ready":true,"failing":[],"uptimeMs":700}"#);
        let suppressed = View { suppressed: vec!["telegram".to_owned()], ..view(Phase::Ready) };
        assert_eq!(
            said("/readyz", &suppressed),
            r#"200 {"ready":true,"failing":[],"suppressed":["telegram"],"uptimeMs":700}"#
        );
    }

    #[test]
    fn older_versions_answer_some_or_all_probes_with_the_web_page() {
        let is_page = |version, path: &str| {
            let view = View { version, ..view(Phase::Ready) };
            answer("GET", path, &view) == page()
        };
        for path in ["/health", "/healthz", "/ready", "/readyz"] {
            assert!(is_page(Version::V2026_2_26, path));
            assert!(!is_page(Version::V2026_6_11, path));
        }
        for path in ["/startup", "/startupz"] {
            assert!(is_page(Version::V2026_6_11, path));
            assert!(!is_page(Version::V2026_9_6, path));
        }
    }
}
