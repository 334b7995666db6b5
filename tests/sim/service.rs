//! The modelled service: it starts and ends the gateway's process, by itself and as a heal asks.

use lifeguard::supervisor::event::HealReport;
use lifeguard::supervisor::ladder::{Heal, Rung};
use lifeguard::supervisor::observation::{Exit, Identity};

use super::clock::{SECOND, Time};
use super::gateway::{Ailment, Model, Need, missing};
use super::plan::KillPoint;
use super::world::{Coming, News, World};

/// Heals that run at once over all gateways.
const PERMITS: usize = 2;

/// A heal that is being made.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) heal: Heal,
    pub(crate) token: u64,
    pub(crate) stage: Stage,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a permit.
    Queued,
    /// It takes its time, and will have done nothing.
    Stuck,
    /// SIGTERM was sent to this life; after its patience SIGKILL may follow.
    Stopping { life: u64 },
    /// The process has ended; the next one is about to be started.
    Starting,
    /// It is over; what was started is still watched.
    Over,
}

impl Stage {
    fn holds_permit(self) -> bool {
        !matches!(self, Self::Queued | Self::Over)
    }
}

impl World<'_> {
    /// A heal begins; an earlier one of this gateway is given up.
    pub(crate) fn begin(&mut self, gateway: usize, heal: Heal) {
        self.members[gateway].job = None;
        self.members[gateway].audit.note_heal(&heal, self.clock.moment(), self.clock.now);
        let token = self.token();
        self.members[gateway].job = Some(Job { heal, token, stage: Stage::Queued });
        self.give_permits();
    }

    fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn give_permits(&mut self) {
        loop {
            let jobs = || self.members.iter().filter_map(|member| member.job.as_ref());
            let taken = jobs().filter(|job| job.stage.holds_permit()).count();
            let first = (0..self.members.len())
                .filter_map(|place| self.members[place].job.as_ref().map(|job| (job, place)))
                .filter(|(job, _)| job.stage == Stage::Queued)
                .min_by_key(|(job, _)| job.token);
            let Some((_, place)) = first.filter(|_| taken < PERMITS) else { return };
            self.perform(place);
        }
    }

    fn perform(&mut self, gateway: usize) {
        let now = self.clock.now;
        let member = &mut self.members[gateway];
        let Some(job) = &mut member.job else { return };
        let (heal, token) = (job.heal.clone(), job.token);
        let unconditional = (heal.asked && heal.hasty) || matches!(heal.rung, Rung::Stop | Rung::StartChannels);
        let lacks = member.model.ailments(now).filter_map(|ailment| match ailment {
            Ailment::Lacks(need) => Some(missing(need)),
            _ => None,
        });
        let mut lacks: Vec<_> = lacks.collect();
        lacks.retain(|state| !heal.rung.mends(&state.dependency));
        if !unconditional && !lacks.is_empty() {
            return self.end_job(gateway, HealReport::Obstructed(lacks));
        }
        if member.model.has(now, Ailment::HealFails) {
            return self.end_job(gateway, HealReport::Failed("no".to_owned()));
        }
        if member.model.has(now, Ailment::HealSticks) {
            job.stage = Stage::Stuck;
            return self.push(now + 400 * SECOND, Coming::Job { gateway, token });
        }
        if heal.rung == Rung::StartChannels {
            member.model.cure(|ailment| ailment == Ailment::Suppressed);
            self.note_truth(gateway);
            return self.end_job(gateway, HealReport::Done);
        }
        let current = member.model.process.as_ref().map(|process| process.identity.clone());
        match (&heal.target, current) {
            (None, Some(_)) if heal.rung == Rung::Start => self.end_job(gateway, HealReport::Done),
            (Some(target), Some(current)) if current.is_same(target) && heal.rung != Rung::Start => {
                self.terminate(gateway, &heal, token);
            }
            (_, Some(_)) if heal.rung != Rung::FreePort => {
                self.end_job(gateway, HealReport::Failed("another process runs".to_owned()));
            }
            _ => {
                member.model.cure(|ailment| ailment == Ailment::Leftover && heal.rung == Rung::FreePort);
                self.prepare_start(gateway);
            }
        }
    }

    /// SIGTERM to the confirmed process.
    fn terminate(&mut self, gateway: usize, heal: &Heal, token: u64) {
        let now = self.clock.now;
        let usual = self.rng.i64(100..3_000);
        let model = &mut self.members[gateway].model;
        let (mut takes, mut deaf) = (usual, model.is_hung(now));
        for ailment in model.ailments(now) {
            match ailment {
                Ailment::Busy(length) => takes = length,
                Ailment::Deaf => deaf = true,
                _ => {}
            }
        }
        let life = model.life;
        if let Some(process) = model.process.as_mut().filter(|_| !deaf) {
            process.drains = true;
        }
        let patience = match heal.rung {
            _ if heal.hasty => 5 * SECOND,
            Rung::Graceful | Rung::Stop => 330 * SECOND,
            _ => 20 * SECOND,
        };
        if let Some(job) = &mut self.members[gateway].job {
            job.stage = Stage::Stopping { life };
        }
        if !deaf {
            self.push(now + takes, Coming::Die { gateway, life, exit: Exit { code: Some(0), signal: None } });
        }
        self.push(now + patience, Coming::Job { gateway, token });
        self.note_truth(gateway);
    }

    /// A heal's next moment has come.
    pub(crate) fn go_on(&mut self, gateway: usize, token: u64) {
        let member = &mut self.members[gateway];
        let Some(job) = member.job.as_ref().filter(|job| job.token == token) else { return };
        let (stage, may_kill, asked) = (job.stage, job.heal.may_kill, job.heal.asked);
        match stage {
            Stage::Stuck => self.end_job(gateway, HealReport::Failed("timed out".to_owned())),
            Stage::Stopping { life } if member.model.process.is_some() && member.model.life == life => {
                if may_kill {
                    let id = job.heal.id;
                    member.audit.note_kill(self.clock.moment(), asked);
                    self.tell(0, News::Heal { gateway, id, report: HealReport::Killed });
                    self.die(gateway, life, Exit { code: None, signal: Some(9) });
                    if matches!(self.armed, Some((KillPoint::AfterKill, _))) {
                        self.die_as_armed();
                    }
                } else {
                    self.end_job(gateway, HealReport::Failed("it did not stop".to_owned()));
                }
            }
            Stage::Starting => self.start_as_asked(gateway),
            Stage::Queued | Stage::Stopping { .. } | Stage::Over => {}
        }
    }

    /// The old process is gone.
    fn prepare_start(&mut self, gateway: usize) {
        let wait = self.rng.i64(20..2_000);
        let token = self.token();
        let now = self.clock.now;
        let luck = self.rng.bool();
        let member = &mut self.members[gateway];
        let Some(job) = &mut member.job else { return };
        (job.stage, job.token) = (Stage::Starting, token);
        let rung = job.heal.rung;
        let mut preparation = 0;
        let broken = |ailment| matches!(ailment, Ailment::Refuses | Ailment::Lacks(Need::Configuration));
        match rung {
            Rung::RollBack => {
                member.model.config_changed = false;
                member.model.cure(broken);
            }
            Rung::Doctor | Rung::Hook => {
                preparation = 20 * SECOND;
                member.model.cure(|ailment| {
                    luck && (broken(ailment) || matches!(ailment, Ailment::ShortLife { .. } | Ailment::Thief))
                });
            }
            _ => {}
        }
        self.push(now + preparation + wait, Coming::Job { gateway, token });
    }

    fn start_as_asked(&mut self, gateway: usize) {
        let member = &mut self.members[gateway];
        let Some(job) = &member.job else { return };
        let stops = job.heal.rung == Rung::Stop;
        if stops {
            member.model.stopped = true;
        } else {
            member.model.stopped = false;
            let now = self.clock.now;
            if member.model.has(now, Ailment::Uninstalled) {
                return self.end_job(gateway, HealReport::Failed("there is no gateway".to_owned()));
            }
            member.model.cure(|ailment| {
                matches!(
                    ailment,
                    Ailment::Unloaded | Ailment::Disabled | Ailment::ManagerAbsent | Ailment::ManagerGivesUp
                )
            });
            if member.model.process.is_none() {
                self.start(gateway);
            }
        }
        self.end_job(gateway, HealReport::Done);
    }

    fn end_job(&mut self, gateway: usize, report: HealReport) {
        let Some(job) = &mut self.members[gateway].job else { return };
        let id = job.heal.id;
        job.stage = Stage::Over;
        job.token = 0;
        self.members[gateway].audit.note_report(id, &report);
        self.tell(0, News::Heal { gateway, id, report });
        self.give_permits();
    }

    /// A process begins.
    pub(crate) fn start(&mut self, gateway: usize) {
        let now = self.clock.now;
        let model = &mut self.members[gateway].model;
        if model.has(now, Ailment::Uninstalled) {
            return;
        }
        model.start(now);
        let (life, fate) = (model.life, model.fate(now));
        let twice = model.has(now, Ailment::ManagerTwice) && model.is_managed();
        self.tell_aloud(|| format!("start    {gateway} life {life}"));
        if let Some((lifetime, exit)) = fate {
            self.push(now + lifetime, Coming::Die { gateway, life, exit });
        } else if twice && life.is_multiple_of(2) {
            let exit = Exit { code: None, signal: Some(15) };
            self.push(now + 3 * SECOND, Coming::Die { gateway, life, exit });
        }
        self.await_ready(gateway);
        self.note_truth(gateway);
    }

    /// The truth changes when a start is done, and when what has started hangs again.
    pub(crate) fn await_ready(&mut self, gateway: usize) {
        let model = &self.members[gateway].model;
        let Some(process) = &model.process else { return };
        for at in [Some(process.ready_at), model.hangs_at(self.clock.now)].into_iter().flatten() {
            if at < Time::MAX {
                self.push(at, Coming::Change { gateway });
            }
        }
    }

    /// The process of this life ends, if it still lives.
    pub(crate) fn die(&mut self, gateway: usize, life: u64, exit: Exit) {
        let now = self.clock.now;
        let member = &mut self.members[gateway];
        if member.model.life != life {
            return;
        }
        let Some(process) = member.model.process.take() else { return };
        self.tell_aloud(|| format!("end      {gateway} life {life} {exit:?}"));
        let member = &mut self.members[gateway];
        member.model.last_exit = exit.code;
        let in_heal = matches!(&member.job, Some(job) if job.stage == Stage::Stopping { life });
        member.audit.note_end(&process, exit, now);
        let shown = member.core.as_ref().and_then(|core| core.shown().process.clone());
        let watched = shown.is_some_and(|shown| shown.is_same(&process.identity))
            || matches!(&member.job, Some(job) if job.stage == Stage::Over);
        let own = matches!(member.spec.policy.manager, lifeguard::supervisor::policy::Manager::Ourselves);
        // Of a process that is not our child the system does not tell how it ended.
        let told = if own { exit } else { Exit::default() };
        if watched {
            self.report_end(gateway, process.identity, told);
        }
        if in_heal {
            self.prepare_start(gateway);
        } else {
            self.plan_restart(gateway, life);
        }
        self.note_truth(gateway);
    }

    fn report_end(&mut self, gateway: usize, identity: Identity, exit: Exit) {
        let wait = self.rng.i64(1..20);
        self.members[gateway].ended = Some(identity.clone());
        self.tell(wait, News::Ended { gateway, identity, exit });
    }

    /// A service manager, or a person, brings it back.
    fn plan_restart(&mut self, gateway: usize, life: u64) {
        let now = self.clock.now;
        let patience = self.rng.i64(2..180) * 60 * SECOND;
        let usual = self.rng.i64(1_000..10_000);
        let model = &mut self.members[gateway].model;
        if model.stopped {
            return;
        }
        let wait = match model.manager {
            lifeguard::supervisor::policy::Manager::ServiceManager { .. } => manager_wait(model, now, usual),
            lifeguard::supervisor::policy::Manager::Nobody { start_when_dead: false } => Some(patience),
            _ => None,
        };
        if let Some(wait) = wait {
            self.members[gateway].model.restarting = true;
            self.push(now + wait, Coming::Start { gateway, after: life });
        }
    }

    /// The truth may have changed.
    pub(crate) fn note_truth(&mut self, gateway: usize) {
        let now = self.clock.now;
        let member = &mut self.members[gateway];
        member.model.tidy(now);
        let truth = member.model.truth(now);
        member.audit.note_truth(truth, &member.model, now);
    }
}

fn manager_wait(model: &Model, now: Time, usual: Time) -> Option<Time> {
    let mut wait = usual;
    for ailment in model.ailments(now) {
        match ailment {
            Ailment::ManagerAbsent | Ailment::ManagerGivesUp | Ailment::Unloaded | Ailment::Disabled => return None,
            Ailment::ManagerLate(by) => wait = usual + by,
            _ => {}
        }
    }
    Some(wait)
}
