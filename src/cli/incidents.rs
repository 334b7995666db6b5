//! `lifeguard incidents`, `lifeguard incidents show [NUMBER]`: the evidence that was stored.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Exit;
use super::context::{Context, Failure};
use crate::config::discovery::discover;
use crate::evidence::{Bundle, EvidenceError, EvidenceStore};
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long, short, global = true, value_name = "GATEWAY")]
    gateway: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct Show {
    number: Option<u64>,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let found = bundles(context, arguments.gateway.as_deref())?;
    if found.is_empty() {
        return Err(Failure::Said(CommandPhrase::NoEvidence, Exit::Bad));
    }
    let Some(Command::Show(show)) = &arguments.command else {
        for (gateway, bundle) in found {
            let taken = Timestamp::from_millisecond(bundle.taken).unwrap_or(Timestamp::UNIX_EPOCH);
            let taken = taken.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
            // A damaged one is listed all the same: its other files may be good.
            let what = bundle.report().map_or_else(|error| error.to_string(), |report| report.summary);
            context.line(&format!("{gateway} #{}  {taken}  {what}  {}", bundle.incident, bundle.folder.display()))?;
        }
        return Ok(Exit::Good);
    };
    let wanted = found.iter().find(|(_, bundle)| show.number.is_none_or(|number| number == bundle.incident));
    let Some((_, bundle)) = wanted else {
        return Err(Failure::Said(CommandPhrase::NoSuchIncident(show.number.unwrap_or_default()), Exit::Bad));
    };
    let unreadable =
        |error: EvidenceError| Failure::Said(CommandPhrase::EvidenceUnreadable(error.to_string()), Exit::Bad);
    let report = bundle.report().map_err(unreadable)?;
    let damaged = |cause| unreadable(EvidenceError::Damaged { place: bundle.folder.clone(), cause });
    context.line(&serde_json::to_string_pretty(&report).map_err(damaged)?)?;
    if let Some(log) = bundle.log_tail().filter(|_| !show.json) {
        context.line(&format!("\n{}", log.trim_end()))?;
    }
    Ok(Exit::Good)
}

/// Every bundle of the gateways of this name, or of all, the newest first.
fn bundles(context: &Context, gateway: Option<&str>) -> Result<Vec<(String, Bundle)>, Failure> {
    let names = context.config()?.watched().into_iter().map(|watched| discover(&watched, &context.environment).name);
    let names: Vec<String> = names.filter(|name| gateway.is_none_or(|wanted| wanted == name)).collect();
    if let Some(gateway) = gateway.filter(|_| names.is_empty()) {
        return Err(Failure::Said(CommandPhrase::NoSuchGateway(gateway.to_owned()), Exit::Bad));
    }
    let mut found = Vec::new();
    for name in names {
        let store = EvidenceStore::new(&context.paths.state_dir, &name);
        found.extend(store.bundles().into_iter().map(|bundle| (name.clone(), bundle)));
    }
    found.sort_by_key(|(_, bundle)| std::cmp::Reverse(bundle.taken));
    Ok(found)
}
