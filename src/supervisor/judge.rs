//! From an observation to a verdict: one table, no memory of its own.

use std::time::Duration;

use super::REFUSES;
use super::activity::{ChannelCondition, ChannelState};
use super::intent::Intent;
use super::observation::{Answer, Observation, PortOwner, ProcessState, ReadyBody, ServiceState};
use super::policy::Policy;
use super::verdict::Verdict;

/// What the core remembers and the table needs.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each asked by its name")]
pub struct Context {
    /// This generation has answered ready before.
    pub was_ready: bool,
    /// This generation has answered a health endpoint in its own JSON.
    pub speaks: bool,
    /// The last generation ended with exit code 78.
    pub refused: bool,
    /// It has ended too often of late.
    pub crash_loop: bool,
    /// What somebody did to this generation on purpose.
    pub intent: Option<Intent>,
    /// How long this process has been seen with its port closed.
    pub closed_for: Duration,
    /// How long it has been draining, if it is.
    pub draining_for: Option<Duration>,
}

/// What an observation means.
#[must_use]
pub fn judge(seen: &Observation, context: Context, policy: &Policy) -> Verdict {
    if let PortOwner::Stranger { pid, name } = &seen.port {
        return at_rest(seen, context).unwrap_or_else(|| Verdict::PortTaken { pid: *pid, name: name.clone() });
    }
    if let Answer::Json { body, .. } = &seen.health
        && body.live
    {
        return live(seen, context, policy);
    }
    if context.intent == Some(Intent::Update) {
        return Verdict::Updating;
    }
    match (&seen.health, &seen.port) {
        (Answer::TimedOut | Answer::Broken(_), PortOwner::OtherGateway(holder)) => {
            at_rest(seen, context).unwrap_or(Verdict::StaleGateway { pid: holder.pid })
        }
        (Answer::Json { .. } | Answer::TimedOut | Answer::Broken(_), _) if is_young(seen, context, policy) => {
            Verdict::Starting(String::new())
        }
        (Answer::Foreign { status: 500.., .. }, _) if is_young(seen, context, policy) => {
            Verdict::Starting(String::new())
        }
        (Answer::Json { status, .. }, _) => Verdict::Failing(format!("/healthz says not live, HTTP {status}")),
        (Answer::Foreign { status: 200, .. }, PortOwner::Gateway) if !context.speaks => {
            // Versions before 2026.6 have no health endpoints and answer every path with their web page.
            Verdict::Healthy
        }
        (Answer::Foreign { status, reason }, _) if *status >= 500 => {
            Verdict::Failing(format!("HTTP {status}: {reason}"))
        }
        (Answer::Foreign { status, reason }, _) => Verdict::Unknown(format!("HTTP {status}: {reason}")),
        (Answer::TimedOut, _) => Verdict::Hung,
        (Answer::Broken(reason), _) => Verdict::Failing(reason.clone()),
        (Answer::Refused, _) => closed(seen, context, policy),
        (Answer::NotAsked, _) => Verdict::Unknown(String::new()),
    }
}

/// The event loop lives: start-up and readiness tell the rest.
fn live(seen: &Observation, context: Context, policy: &Policy) -> Verdict {
    let draining = seen.startup.body().is_some_and(|startup| startup.draining)
        || seen.ready.body().is_some_and(|ready| ready.failing.iter().any(|name| name == "gateway-draining"));
    if draining {
        return if context.draining_for.unwrap_or_default() < policy.drain_limit {
            Verdict::Draining
        } else {
            Verdict::Failing("draining for too long".to_owned())
        };
    }
    if let Some(startup) = seen.startup.body()
        && !startup.started
    {
        return starting(seen, startup.pending_reason.clone().unwrap_or_default(), policy);
    }
    match &seen.ready {
        Answer::Json { body, .. } => readiness(seen, body, policy),
        Answer::TimedOut => Verdict::NotReady(vec!["/readyz does not answer".to_owned()]),
        Answer::Broken(reason) => Verdict::NotReady(vec![reason.clone()]),
        Answer::Foreign { status, .. } if *status >= 500 => Verdict::NotReady(vec![format!("/readyz: HTTP {status}")]),
        // An older version without the endpoint, or not asked: liveness is all there is.
        Answer::Foreign { .. } | Answer::NotAsked | Answer::Refused => wholeness(seen, policy),
    }
}

/// Live and ready: does it also work, and in its place?
fn wholeness(seen: &Observation, policy: &Policy) -> Verdict {
    if let Some(refusal) = seen.activity.as_ref().and_then(|activity| activity.refusal.clone()) {
        return Verdict::ModelRefused(refusal);
    }
    let in_state = |condition| -> Vec<String> { channels(seen, condition, policy).map(ChannelState::name).collect() };
    let told = [
        Verdict::LoggedOut(in_state(ChannelCondition::LoggedOut)),
        Verdict::ChannelsDown(in_state(ChannelCondition::Down)),
        Verdict::ChannelsSilent(in_state(ChannelCondition::Silent)),
    ];
    let says_something = |verdict: &Verdict| {
        matches!(verdict, Verdict::LoggedOut(names) | Verdict::ChannelsDown(names) | Verdict::ChannelsSilent(names)
            if !names.is_empty())
    };
    if let Some(verdict) = told.into_iter().find(says_something) {
        return verdict;
    }
    let overdue = seen.activity.as_ref().and_then(|activity| activity.overdue);
    if overdue.is_some_and(|length| length >= policy.overdue_after) {
        return Verdict::Overdue;
    }
    // A job that its manager starts in vain every few seconds, beside a gateway that somebody else runs.
    if matches!(seen.service, ServiceState::Restarting | ServiceState::CrashLooping(_) | ServiceState::Failed(_)) {
        return Verdict::Orphan;
    }
    if seen.latency.is_some_and(|latency| latency >= policy.slow_answer) {
        return Verdict::Slow;
    }
    Verdict::Healthy
}

/// The channels that say this of themselves.
fn channels<'a>(
    seen: &'a Observation,
    condition: ChannelCondition,
    policy: &Policy,
) -> impl Iterator<Item = &'a ChannelState> {
    let silence = policy.channel_silence;
    let all = seen.activity.iter().flat_map(|activity| &activity.channels);
    all.filter(move |channel| channel.condition(silence) == condition)
}

fn readiness(seen: &Observation, ready: &ReadyBody, policy: &Policy) -> Verdict {
    if ready.ready {
        return if ready.suppressed.is_empty() {
            wholeness(seen, policy)
        } else {
            Verdict::ChannelsSuppressed(ready.suppressed.clone())
        };
    }
    if let Some(reason) = ready.failing.iter().find(|name| name.starts_with("startup-")) {
        return starting(seen, reason.clone(), policy);
    }
    // Only what was refused for good is missing: no restart brings that back.
    let logged_out = || channels(seen, ChannelCondition::LoggedOut, policy);
    let explained = |name: &String| logged_out().any(|channel| channel.channel == *name);
    if !ready.failing.is_empty() && ready.failing.iter().all(explained) {
        return Verdict::LoggedOut(logged_out().map(ChannelState::name).collect());
    }
    Verdict::NotReady(ready.failing.clone())
}

/// It says itself that it is starting: believed up to the limit.
fn starting(seen: &Observation, reason: String, policy: &Policy) -> Verdict {
    let age = seen
        .startup
        .body()
        .and_then(|startup| startup.uptime)
        .or_else(|| seen.ready.body().and_then(|ready| ready.uptime))
        .or(match &seen.process {
            ProcessState::Running { age, .. } => Some(*age),
            ProcessState::Unknown | ProcessState::Gone => None,
        })
        .unwrap_or_default();
    if age < policy.startup_limit {
        Verdict::Starting(reason)
    } else {
        Verdict::Failing(format!("start-up is stuck at {reason}"))
    }
}

/// Nothing listens.
fn closed(seen: &Observation, context: Context, policy: &Policy) -> Verdict {
    match (&seen.process, &seen.service) {
        (ProcessState::Running { .. }, _) => {
            let draining = context.draining_for.is_some_and(|time| time < policy.drain_limit);
            if draining {
                Verdict::Draining
            } else if is_young(seen, context, policy) || context.closed_for < policy.hang_patience {
                // An in-process restart closes the port for about 3 s (gateway.md, section 4).
                Verdict::Starting(String::new())
            } else {
                Verdict::Zombie
            }
        }
        _ if let Some(verdict) = at_rest(seen, context) => verdict,
        (_, ServiceState::Disabled) => Verdict::ServiceDisabled,
        (_, ServiceState::NotLoaded) => Verdict::ServiceNotLoaded,
        _ if context.refused || seen.last_exit == Some(REFUSES) => Verdict::Refuses,
        _ if context.intent == Some(Intent::Restart) => Verdict::Starting(String::new()),
        (_, ServiceState::Failed(reason)) => Verdict::NotSpawned(reason.clone()),
        (_, ServiceState::CrashLooping(_)) => Verdict::CrashLoop,
        _ if context.crash_loop => Verdict::CrashLoop,
        _ => Verdict::Gone,
    }
}

/// It does not run, and it cannot or somebody has said that it should not: whoever holds its port meanwhile.
fn at_rest(seen: &Observation, context: Context) -> Option<Verdict> {
    match (&seen.process, &seen.service, context.intent) {
        (ProcessState::Running { .. }, _, _) => None,
        (_, ServiceState::NotInstalled, _) => Some(Verdict::NotInstalled),
        (_, ServiceState::Disabled | ServiceState::NotLoaded | ServiceState::Unknown(_), Some(Intent::Maintenance)) => {
            Some(Verdict::Parked)
        }
        (
            _,
            ServiceState::Disabled | ServiceState::NotLoaded | ServiceState::Unmanaged | ServiceState::Unknown(_),
            Some(Intent::Stop),
        ) => Some(Verdict::Stopped),
        (_, ServiceState::Stopped, _) => Some(Verdict::Stopped),
        _ => None,
    }
}

fn is_young(seen: &Observation, context: Context, policy: &Policy) -> bool {
    !context.was_ready && matches!(&seen.process, ProcessState::Running { age, .. } if *age < policy.startup_grace)
}

#[cfg(test)]
mod tests {
    use super::super::moment::Moment;
    use super::super::observation::{HealthBody, Identity, StartupBody};
    use super::*;

    fn nothing() -> Observation {
        Observation::nothing(Moment { awake: 0, elapsed: 0, wall: 0 })
    }

    fn running(age: u64) -> ProcessState {
        let identity = Identity { pid: 7, started: 1, command: "openclaw-gateway".to_owned() };
        ProcessState::Running { identity, age: Duration::from_secs(age) }
    }

    fn live_and(ready: Answer<ReadyBody>) -> Observation {
        Observation {
            health: Answer::Json { status: 200, body: HealthBody { live: true } },
            startup: Answer::Json { status: 200, body: StartupBody { started: true, ..StartupBody::default() } },
            ready,
            ..nothing()
        }
    }

    fn not_ready(failing: &[&str]) -> Answer<ReadyBody> {
        let failing = failing.iter().map(|name| (*name).to_owned()).collect();
        Answer::Json { status: 503, body: ReadyBody { failing, ..ReadyBody::default() } }
    }

    fn verdict(seen: &Observation) -> Verdict {
        judge(seen, Context::default(), &Policy::default())
    }

    #[test]
    fn live_and_ready_is_healthy() {
        let ready = ReadyBody { ready: true, ..ReadyBody::default() };
        assert_eq!(verdict(&live_and(Answer::Json { status: 200, body: ready })), Verdict::Healthy);
    }

    #[test]
    fn ready_with_channels_held_back_is_not_healthy() {
        let ready = ReadyBody { ready: true, suppressed: vec!["telegram".to_owned()], ..ReadyBody::default() };
        assert_eq!(
            verdict(&live_and(Answer::Json { status: 200, body: ready })),
            Verdict::ChannelsSuppressed(vec!["telegram".to_owned()])
        );
    }

    #[test]
    fn the_reasons_of_readyz_are_told_apart() {
        assert_eq!(verdict(&live_and(not_ready(&["gateway-draining"]))), Verdict::Draining);
        assert_eq!(
            verdict(&live_and(not_ready(&["startup-sidecars"]))),
            Verdict::Starting("startup-sidecars".to_owned())
        );
        assert_eq!(verdict(&live_and(not_ready(&["telegram"]))), Verdict::NotReady(vec!["telegram".to_owned()]));
    }

    #[test]
    fn start_up_is_believed_only_up_to_its_limit() {
        let mut seen = live_and(not_ready(&["startup-sidecars"]));
        seen.startup = Answer::Json {
            status: 503,
            body: StartupBody {
                pending_reason: Some("sidecars".to_owned()),
                uptime: Some(Duration::from_mins(6)),
                ..StartupBody::default()
            },
        };
        assert_eq!(verdict(&seen), Verdict::Failing("start-up is stuck at sidecars".to_owned()));
    }

    #[test]
    fn draining_is_believed_only_up_to_its_limit() {
        let seen = live_and(not_ready(&["gateway-draining"]));
        let context = Context { draining_for: Some(Duration::from_secs(331)), ..Context::default() };
        assert_eq!(judge(&seen, context, &Policy::default()), Verdict::Failing("draining for too long".to_owned()));
    }

    #[test]
    fn an_older_version_without_health_endpoints_is_healthy_only_when_the_port_is_its_own() {
        let page = Answer::Foreign { status: 200, reason: "text/html".to_owned() };
        let mut seen = Observation { health: page, port: PortOwner::Gateway, ..nothing() };
        assert_eq!(verdict(&seen), Verdict::Healthy);
        seen.port = PortOwner::Unknown;
        assert_eq!(verdict(&seen), Verdict::Unknown("HTTP 200: text/html".to_owned()));
    }

    #[test]
    fn a_page_in_the_place_of_an_answer_that_was_json_before_is_not_health() {
        let page = Answer::Foreign { status: 200, reason: "not JSON".to_owned() };
        let seen = Observation { health: page, port: PortOwner::Gateway, ..nothing() };
        let context = Context { speaks: true, ..Context::default() };
        assert_eq!(judge(&seen, context, &Policy::default()), Verdict::Unknown("HTTP 200: not JSON".to_owned()));
    }

    #[test]
    fn a_stranger_on_the_port_is_named_whatever_it_answers() {
        let seen = Observation {
            health: Answer::Json { status: 200, body: HealthBody { live: true } },
            port: PortOwner::Stranger { pid: Some(9), name: "nginx".to_owned() },
            ..nothing()
        };
        assert_eq!(verdict(&seen), Verdict::PortTaken { pid: Some(9), name: "nginx".to_owned() });
    }

    #[test]
    fn no_answer_is_a_hang_but_not_in_the_first_minutes_of_a_generation() {
        let mut seen = Observation { health: Answer::TimedOut, process: running(30), ..nothing() };
        assert_eq!(verdict(&seen), Verdict::Starting(String::new()));
        let was_ready = Context { was_ready: true, ..Context::default() };
        assert_eq!(judge(&seen, was_ready, &Policy::default()), Verdict::Hung);
        seen.process = running(121);
        assert_eq!(verdict(&seen), Verdict::Hung);
    }

    #[test]
    fn a_closed_port_means_what_the_process_and_the_service_say() {
        let refused = |process, service| Observation { health: Answer::Refused, process, service, ..nothing() };
        let unmanaged = ServiceState::Unmanaged;
        assert_eq!(verdict(&refused(ProcessState::Gone, unmanaged.clone())), Verdict::Gone);
        assert_eq!(verdict(&refused(running(5), unmanaged.clone())), Verdict::Starting(String::new()));
        assert_eq!(verdict(&refused(ProcessState::Gone, ServiceState::Stopped)), Verdict::Stopped);
        assert_eq!(verdict(&refused(ProcessState::Gone, ServiceState::Disabled)), Verdict::ServiceDisabled);
        assert_eq!(verdict(&refused(ProcessState::Gone, ServiceState::NotLoaded)), Verdict::ServiceNotLoaded);
        assert_eq!(verdict(&refused(ProcessState::Unknown, ServiceState::NotInstalled)), Verdict::NotInstalled);
        let looping = ServiceState::CrashLooping(String::new());
        assert_eq!(verdict(&refused(ProcessState::Gone, looping)), Verdict::CrashLoop);
        let after_78 = Context { refused: true, ..Context::default() };
        let seen = refused(ProcessState::Gone, unmanaged.clone());
        assert_eq!(judge(&seen, after_78, &Policy::default()), Verdict::Refuses);
    }

    #[test]
    fn an_in_process_restart_is_no_zombie_until_patience_ends() {
        let seen = Observation { health: Answer::Refused, process: running(9_000), ..nothing() };
        let context =
            |closed| Context { was_ready: true, closed_for: Duration::from_secs(closed), ..Context::default() };
        assert_eq!(judge(&seen, context(3), &Policy::default()), Verdict::Starting(String::new()));
        assert_eq!(judge(&seen, context(60), &Policy::default()), Verdict::Zombie);
    }
}
