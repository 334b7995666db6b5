//! launchd itself: drives the model in real time, starts and stops its jobs.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};

use super::agent::Agent;
use super::model::{Answer, End, Launchd, Wish};

/// Where it is asked.
pub(crate) fn socket(folder: &Path) -> PathBuf {
    folder.join("launchd.sock")
}

enum Event {
    Asked(UnixStream),
    Ended(u32, End),
}

/// Serves until it is killed.
pub(crate) fn serve(folder: &Path) -> io::Result<()> {
    let (send, events) = channel();
    let listener = UnixListener::bind(socket(folder))?;
    let asked = send.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if asked.send(Event::Asked(stream)).is_err() {
                return;
            }
        }
    });
    let transcript = OpenOptions::new().create(true).append(true).open(folder.join("transcript"))?;
    let launchd = Launchd::new(getuid().as_raw());
    let mut server = Server { launchd, transcript, began: Instant::now(), send };
    loop {
        let now = server.began.elapsed();
        let wait = server.launchd.next_tick().map_or(Duration::MAX, |at| at.saturating_sub(now));
        match events.recv_timeout(wait.min(Duration::from_hours(1))) {
            Ok(Event::Asked(stream)) => server.answer(stream)?,
            Ok(Event::Ended(pid, end)) => server.launchd.ended(server.began.elapsed(), pid, end),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let now = server.began.elapsed();
        server.launchd.tick(now);
        server.follow()?;
    }
}

struct Server {
    launchd: Launchd,
    transcript: File,
    began: Instant,
    send: Sender<Event>,
}

impl Server {
    fn answer(&mut self, mut stream: UnixStream) -> io::Result<()> {
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let words: Vec<String> = serde_json::from_str(&text)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = self.heed(&words)?;
        // Whoever asked may have been killed meanwhile.
        let _unheard = stream.write_all(&serde_json::to_vec(&answer)?);
        Ok(())
    }

    fn heed(&mut self, words: &[&str]) -> io::Result<Answer> {
        let now = self.began.elapsed();
        let read = |path: &Path| plist::from_file::<_, Agent>(path).ok();
        let (who, words) = match words {
            ["imitate", "person", words @ ..] => ("a person: ", words),
            ["imitate", words @ ..] => return Ok(self.launchd.imitate(words)),
            words => ("", words),
        };
        let answer = self.launchd.call(now, words, &read);
        let result = if answer.code == 0 { String::new() } else { format!(" -> {}", answer.code) };
        writeln!(self.transcript, "{who}{}{result}", words.join(" "))?;
        self.follow()?;
        Ok(answer)
    }

    /// Does what launchd wants done, and writes down what happened.
    fn follow(&mut self) -> io::Result<()> {
        loop {
            for line in self.launchd.take_happened() {
                writeln!(self.transcript, "  {line}")?;
            }
            let wishes = self.launchd.take_wishes();
            if wishes.is_empty() {
                return Ok(());
            }
            for wish in wishes {
                match wish {
                    Wish::Start(label) => {
                        let pid = self.launchd.jobs.get(&label).and_then(|job| self.start(&job.agent).ok());
                        self.launchd.started(self.began.elapsed(), &label, pid);
                    }
                    Wish::Terminate(pid) => signal(pid, Signal::TERM),
                    Wish::Kill(pid) => signal(pid, Signal::KILL),
                }
            }
        }
    }

    /// The job's process is a child whose end a thread awaits.
    fn start(&self, agent: &Agent) -> io::Result<u32> {
        let missing = || io::Error::other("no program");
        let (program, arguments) = agent.program_arguments.split_first().ok_or_else(missing)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .envs(&agent.environment_variables)
            .env("XPC_SERVICE_NAME", &agent.label)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output(agent.standard_out_path.as_deref())?)
            .stderr(output(agent.standard_error_path.as_deref())?);
        if let Some(folder) = &agent.working_directory {
            command.current_dir(folder);
        }
        let mut child = command.spawn()?;
        let (pid, send) = (child.id(), self.send.clone());
        std::thread::spawn(move || {
            let end = child.wait().map_or(End::Code(-1), |status| {
                status.signal().map_or_else(|| End::Code(status.code().unwrap_or(-1)), End::Signal)
            });
            // Nobody listens any more when launchd itself ends.
            let _unheard = send.send(Event::Ended(pid, end));
        });
        Ok(pid)
    }
}

fn output(path: Option<&Path>) -> io::Result<Stdio> {
    let Some(path) = path else { return Ok(Stdio::null()) };
    Ok(OpenOptions::new().create(true).append(true).open(path)?.into())
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _gone = kill_process(pid, signal);
    }
}
