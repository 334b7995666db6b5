//! What the gateway needs besides itself: looked at beside the rounds, so that a stuck one delays nothing.

mod config_file;
mod docker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::service::GatewaySetup;
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use config_file::ConfigFile;

/// Limit for each look: a name that does not resolve, a connection that does not open, a disk that does not answer.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// Distance of two looks while all is well.
const QUIET: Duration = Duration::from_mins(1);

/// Distance of two looks while the gateway or something that it needs is in trouble.
const ANXIOUS: Duration = Duration::from_secs(2);

/// A configuration that has not been edited for so long is done.
const SETTLED: Duration = Duration::from_secs(20);

/// The same while the gateway does not run: why it ended is worth knowing soon.
const SETTLED_WHILE_GONE: Duration = Duration::from_secs(3);

/// What the configuration says that the gateway needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The Docker engine.
    pub docker: bool,
    /// Hosts that must be reachable: `host:port`.
    pub hosts: Vec<String>,
    /// Bytes that must be free on the disk of the state folder.
    pub free_disk: u64,
}

impl Needs {
    /// Everything that is looked at for a gateway with these needs.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency> {
        let docker = self.docker.then_some(Dependency::Docker);
        let hosts = self.hosts.iter().map(|host| Dependency::Network { host: host.clone() });
        docker.into_iter().chain(hosts).chain([Dependency::Disk, Dependency::Configuration])
    }
}

/// The things that one gateway needs.
#[derive(Debug, Clone)]
pub struct Dependencies {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    needs: Needs,
    setup: GatewaySetup,
    config: ConfigFile,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    states: Vec<DependencyState>,
    looked: Option<Instant>,
    looking: bool,
}

/// How the gateway itself was found in the same round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// It answers.
    Answers,
    /// Its process runs and does not answer: it may be starting.
    Silent,
    /// It does not run.
    Gone,
}

impl Dependencies {
    /// The needs of the gateway of this setup.
    #[must_use]
    pub fn new(needs: Needs, setup: GatewaySetup) -> Self {
        let config = ConfigFile::new(setup.clone());
        Self { shared: Arc::new(Shared { needs, setup, config, known: Mutex::default() }) }
    }

    /// What the last look found, one state for each thing; starts another look beside, when that was long ago.
    #[must_use]
    pub fn known(&self, gateway: Gateway) -> Vec<DependencyState> {
        let mut known = self.shared.known();
        let calm = gateway == Gateway::Answers && known.states.iter().all(|state| state.trouble.is_none());
        let distance = if calm { QUIET } else { ANXIOUS };
        let due = known.looked.is_none_or(|looked| looked.elapsed() >= distance);
        if due && !known.looking {
            known.looking = true;
            let shared = Arc::clone(&self.shared);
            let settled = match gateway {
                Gateway::Answers => SETTLED,
                // A gateway that starts needs the machine for itself.
                Gateway::Silent => Duration::MAX,
                Gateway::Gone => SETTLED_WHILE_GONE,
            };
            tokio::spawn(async move { shared.look(settled).await });
        }
        known.states.clone()
    }

    /// What is missing right now. Takes as long as the slowest of the looks, twelve seconds at most. `replaces`: a
    /// gateway that runs is to be replaced, and so OpenClaw is asked first about a configuration that it has not been
    /// asked about yet, which takes seconds; a broken one would leave a zombie (gateway.md, fact 13).
    pub async fn missing(&self, replaces: bool) -> Vec<DependencyState> {
        let states = self.shared.look(if replaces { Duration::ZERO } else { Duration::MAX }).await;
        states.into_iter().filter(|state| state.trouble.is_some()).collect()
    }
}

impl Shared {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at everything side by side; OpenClaw is asked about a configuration that has stayed the same for `settled`.
    async fn look(&self, settled: Duration) -> Vec<DependencyState> {
        let docker = async {
            let declared = self.needs.docker;
            if declared { Some((Dependency::Docker, docker::trouble(&self.setup).await)) } else { None }
        };
        let hosts = self.needs.hosts.iter().map(|host| {
            let host = host.clone();
            tokio::spawn(async move {
                let trouble = reach(&host).await;
                (Dependency::Network { host }, trouble)
            })
        });
        let hosts: Vec<_> = hosts.collect();
        let reached = async {
            let mut reached = Vec::new();
            for host in hosts {
                reached.extend(host.await.ok());
            }
            reached
        };
        let (docker, reached, disk, programs, config) =
            tokio::join!(docker, reached, self.disk(), self.programs(), self.config.trouble(settled));
        let mut found = Vec::new();
        found.extend(docker);
        found.extend(reached);
        found.push((Dependency::Disk, disk));
        found.extend(programs);
        found.push((Dependency::Configuration, config));
        let states: Vec<DependencyState> =
            found.into_iter().map(|(dependency, trouble)| DependencyState { dependency, trouble }).collect();
        let mut known = self.known();
        for state in &states {
            let before = known.states.iter().find(|before| before.dependency == state.dependency);
            if before.is_none_or(|before| before.trouble.is_some() != state.trouble.is_some()) {
                let name = state.dependency.name();
                let trouble = state.trouble.as_ref();
                tracing::info!(gateway = self.setup.name, need = name, ?trouble, "what the gateway needs");
            }
        }
        known.states.clone_from(&states);
        known.looked = Some(Instant::now());
        known.looking = false;
        states
    }

    async fn disk(&self) -> Option<Trouble> {
        let (folder, wanted) = (self.setup.state_dir.clone(), self.needs.free_disk);
        let looked = spawn_blocking(move || free_space(&folder));
        match timeout(LOOK_LIMIT, looked).await {
            Ok(Ok(Ok(free))) => (free < wanted).then_some(Trouble::NearlyFull { free }),
            Ok(Ok(Err(error))) => Some(Trouble::Invalid(error.to_string())),
            Ok(Err(error)) => Some(Trouble::Invalid(error.to_string())),
            Err(_) => Some(Trouble::Silent),
        }
    }

    /// The files without which the gateway's command cannot start.
    async fn programs(&self) -> Vec<(Dependency, Option<Trouble>)> {
        let Some(command) = self.setup.command.clone() else { return Vec::new() };
        let looked = spawn_blocking(move || {
            let files = command.iter().take(2).map(PathBuf::from).filter(|path| path.is_absolute());
            let missing = files.filter(|path| !path.exists());
            missing.map(|path| Dependency::Program { name: path.display().to_string() }).collect::<Vec<_>>()
        });
        match timeout(LOOK_LIMIT, looked).await {
            Ok(Ok(missing)) => missing.into_iter().map(|program| (program, Some(Trouble::Missing))).collect(),
            // A disk that does not answer is told by the look at the disk.
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

/// Free bytes on the disk that holds the folder, or the nearest folder above it that exists.
pub fn free_space(folder: &Path) -> Result<u64, rustix::io::Errno> {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let found = rustix::fs::statvfs(existing)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Resolves a name and opens a connection, to the first address that lets it.
async fn reach(host: &str) -> Option<Trouble> {
    let addresses: Vec<_> = match timeout(LOOK_LIMIT, lookup_host(host)).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) | Err(_) => return Some(Trouble::Unresolved),
    };
    let mut reason = "no address".to_owned();
    let tried = async {
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(_) => return true,
                Err(error) => reason = error.kind().to_string(),
            }
        }
        false
    };
    match timeout(LOOK_LIMIT, tried).await {
        Ok(true) => None,
        Ok(false) => Some(Trouble::Unreachable(reason)),
        Err(_) => Some(Trouble::Silent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(folder: &Path) -> GatewaySetup {
        GatewaySetup::new("test", 1, folder.to_owned(), folder.join("gateway.log"))
    }

    #[tokio::test]
    async fn all_is_there_on_a_machine_that_is_well() {
        let folder = tempfile::tempdir().unwrap();
        let dependencies = Dependencies::new(Needs::default(), setup(folder.path()));
        assert_eq!(dependencies.missing(false).await, []);
        let known = dependencies.known(Gateway::Answers);
        assert_eq!(known.len(), 2, "{known:?}");
    }

    #[tokio::test]
    async fn a_full_disk_and_a_missing_program_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = setup(folder.path());
        setup.command = Some(vec!["/nowhere/node".to_owned(), "/nowhere/openclaw.mjs".to_owned()]);
        let needs = Needs { free_disk: u64::MAX, ..Needs::default() };
        let missing = Dependencies::new(needs, setup).missing(false).await;
        let names: Vec<String> = missing.iter().map(|state| state.dependency.name()).collect();
        assert_eq!(names, ["disk", "program:/nowhere/node", "program:/nowhere/openclaw.mjs"]);
        assert!(matches!(missing[0].trouble, Some(Trouble::NearlyFull { .. })));
    }

    #[tokio::test]
    async fn a_host_is_reached_refused_or_not_known() {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = socket.local_addr().unwrap().to_string();
        assert_eq!(reach(&open).await, None);
        drop(socket);
        assert!(matches!(reach(&open).await, Some(Trouble::Unreachable(_))));
        // So long a label is no name: nobody on the network is asked.
        assert_eq!(reach(&format!("{}.invalid:443", "x".repeat(64))).await, Some(Trouble::Unresolved));
        assert_eq!(reach("no port").await, Some(Trouble::Unresolved));
    }

    #[tokio::test]
    async fn what_is_known_is_told_at_once_and_renewed_beside() {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = setup(folder.path());
        setup.command = Some(vec![folder.path().join("node").display().to_string()]);
        let dependencies = Dependencies::new(Needs::default(), setup);
        assert_eq!(dependencies.known(Gateway::Gone), []);
        let troubled = |states: &[DependencyState]| states.iter().any(|state| state.trouble.is_some());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !troubled(&dependencies.known(Gateway::Gone)) {
            assert!(Instant::now() < deadline, "never renewed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
