//! A gateway's service: registered, switched on, sane, and there again after a reboot.

use super::Finding;
use super::gateway::Look;
use crate::platform::desktop::login_item::LoginItem;
use crate::service::Kind;
use crate::service::boot::{Boot, Login};
use crate::supervisor::observation::ServiceState;
use crate::text::check::gateway::GatewayRemark;
use crate::text::check::{Grade, Subject};

pub(super) fn registered(look: &Look<'_>, state: &ServiceState, boot: Option<&Boot>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Service, grade, &remark);
    let label = boot.map_or_else(String::new, |boot| boot.label.clone());
    let systemd = look.watched.kind == Kind::Systemd;
    let switch_on = || {
        // OpenClaw's own command knows a job that OpenClaw itself has parked.
        if systemd { format!("systemctl --user enable --now {label}") } else { look.openclaw("gateway start") }
    };
    match state {
        ServiceState::Running | ServiceState::Restarting | ServiceState::Stopped => {
            match boot.and_then(|boot| boot.flaw.clone()) {
                None => finding(Grade::Ok, GatewayRemark::Managed(label)),
                Some(flaw) => finding(Grade::Problem, GatewayRemark::BadDefinition(flaw))
                    .mend(look.openclaw("gateway install --force")),
            }
        }
        ServiceState::Unmanaged => {
            finding(Grade::Skipped, GatewayRemark::Unmanaged(look.watched.kind.name().to_owned()))
        }
        ServiceState::NotInstalled => {
            finding(Grade::Problem, GatewayRemark::NotInstalled).mend(look.openclaw("gateway install"))
        }
        ServiceState::NotLoaded => finding(Grade::Problem, GatewayRemark::NotLoaded(label.clone())).mend(switch_on()),
        ServiceState::Disabled => finding(Grade::Problem, GatewayRemark::Disabled(label.clone())).mend(switch_on()),
        ServiceState::Failed(reason) | ServiceState::CrashLooping(reason) => {
            let mend = if systemd {
                format!("systemctl --user reset-failed {label} && systemctl --user start {label}")
            } else {
                look.openclaw("gateway start")
            };
            finding(Grade::Problem, GatewayRemark::Failed(reason.clone())).mend(mend)
        }
        ServiceState::Unknown(reason) => {
            finding(Grade::Warning, GatewayRemark::Unclear(reason.clone())).mend(look.openclaw("gateway status"))
        }
    }
}

pub(super) fn reboot(look: &Look<'_>, boot: Option<&Boot>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Reboot, grade, &remark);
    match (look.watched.kind, boot) {
        (Kind::NotInstalled, _) => finding(Grade::Skipped, GatewayRemark::NotInstalled),
        (Kind::Child, _) if look.ground.login_item == LoginItem::On => {
            finding(Grade::Ok, GatewayRemark::LifeguardStarts)
        }
        (Kind::Child, _) => {
            finding(Grade::Warning, GatewayRemark::NobodyStartsLifeguard).mend("lifeguard login-item on")
        }
        (Kind::Attached, _) | (_, None) => {
            finding(Grade::Warning, GatewayRemark::ByHand).mend(look.openclaw("gateway install"))
        }
        (kind, Some(boot)) => match &boot.starts {
            Ok(true) => match boot.login {
                Some(Login::FileVault) => {
                    finding(Grade::Warning, GatewayRemark::WaitsForDisk).mend("sudo fdesetup authrestart")
                }
                Some(Login::ByHand) => finding(Grade::Warning, GatewayRemark::WaitsForLogin)
                    .mend("open 'x-apple.systempreferences:com.apple.Users-Groups-Settings.extension'"),
                Some(Login::Automatic) | None => finding(Grade::Ok, GatewayRemark::ComesBack),
            },
            Ok(false) => {
                let mend = if kind == Kind::Systemd {
                    format!("systemctl --user enable {}", boot.label)
                } else {
                    format!("launchctl enable gui/$(id -u)/{}", boot.label)
                };
                finding(Grade::Problem, GatewayRemark::StaysDown).mend(mend)
            }
            Err(cause) => finding(Grade::Skipped, GatewayRemark::Unclear(cause.clone())),
        },
    }
}

pub(super) fn linger(look: &Look<'_>, boot: Option<&Boot>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Linger, grade, &remark);
    match boot.and_then(|boot| boot.lingers.as_ref()) {
        None => finding(Grade::Skipped, GatewayRemark::NotNeeded),
        Some(Ok(true)) => finding(Grade::Ok, GatewayRemark::Lingers),
        Some(Ok(false)) => finding(Grade::Warning, GatewayRemark::DoesNotLinger).mend("loginctl enable-linger"),
        Some(Err(cause)) => finding(Grade::Skipped, GatewayRemark::Unclear(cause.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Ground;
    use crate::check::sample::{Stage, watched};

    fn boot(starts: Result<bool, String>, lingers: Option<Result<bool, String>>, flaw: Option<&str>) -> Boot {
        Boot {
            label: "openclaw-gateway.service".to_owned(),
            starts,
            lingers,
            login: None,
            flaw: flaw.map(str::to_owned),
        }
    }

    fn with(kind: Kind, login_item: LoginItem, judge: impl FnOnce(&Look<'_>) -> Finding) -> Finding {
        let stage = Stage::new();
        let mut watched = watched(stage.home());
        watched.kind = kind;
        let ground = Ground { login_item, ..stage.ground() };
        judge(&Look { ground: &ground, watched: &watched })
    }

    #[test]
    fn a_service_is_sane_flawed_or_in_one_of_its_bad_states() {
        let good = boot(Ok(true), None, None);
        let of = |kind, state: ServiceState, boot: &Boot| {
            let found = with(kind, LoginItem::On, |look| registered(look, &state, Some(boot)));
            (found.grade, found.mend)
        };
        let mended = |text: &str| (Grade::Problem, Some(text.to_owned()));
        assert_eq!(of(Kind::Systemd, ServiceState::Running, &good), (Grade::Ok, None));
        let flawed = boot(Ok(true), None, Some("/nowhere/node is not there"));
        assert_eq!(of(Kind::Systemd, ServiceState::Running, &flawed), mended("openclaw gateway install --force"));
        assert_eq!(of(Kind::Child, ServiceState::Unmanaged, &good), (Grade::Skipped, None));
        assert_eq!(of(Kind::NotInstalled, ServiceState::NotInstalled, &good), mended("openclaw gateway install"));
        assert_eq!(of(Kind::Launchd, ServiceState::NotLoaded, &good), mended("openclaw gateway start"));
        assert_eq!(
            of(Kind::Systemd, ServiceState::Disabled, &good),
            mended("systemctl --user enable --now openclaw-gateway.service")
        );
        let failed = of(Kind::Systemd, ServiceState::Failed("exit-code".to_owned()), &good);
        assert!(failed.1.unwrap().starts_with("systemctl --user reset-failed "));
        let unknown = of(Kind::Systemd, ServiceState::Unknown("no bus".to_owned()), &good);
        assert_eq!(unknown, (Grade::Warning, Some("openclaw gateway status".to_owned())));
    }

    #[test]
    fn after_a_reboot_somebody_starts_it_or_nobody_does() {
        let of = |kind, login_item, boot: Option<Boot>| {
            let found = with(kind, login_item, |look| reboot(look, boot.as_ref()));
            (found.grade, found.mend)
        };
        let on = LoginItem::On;
        assert_eq!(of(Kind::Systemd, LoginItem::Off, Some(boot(Ok(true), None, None))), (Grade::Ok, None));
        let off = of(Kind::Systemd, on.clone(), Some(boot(Ok(false), None, None)));
        assert_eq!(off, (Grade::Problem, Some("systemctl --user enable openclaw-gateway.service".to_owned())));
        let off = of(Kind::Launchd, on.clone(), Some(boot(Ok(false), None, None)));
        assert!(off.1.unwrap().starts_with("launchctl enable gui/$(id -u)/"));
        let after = |login| of(Kind::Launchd, on.clone(), Some(Boot { login, ..boot(Ok(true), None, None) }));
        assert_eq!(after(Some(Login::FileVault)), (Grade::Warning, Some("sudo fdesetup authrestart".to_owned())));
        assert!(after(Some(Login::ByHand)).1.unwrap().contains("Users-Groups"));
        assert_eq!(after(Some(Login::Automatic)), (Grade::Ok, None));
        assert_eq!(after(None), (Grade::Ok, None));
        assert_eq!(of(Kind::Systemd, on.clone(), Some(boot(Err("x".to_owned()), None, None))).0, Grade::Skipped);
        assert_eq!(of(Kind::Child, on.clone(), None), (Grade::Ok, None));
        assert_eq!(of(Kind::Child, LoginItem::Off, None).1.as_deref(), Some("lifeguard login-item on"));
        assert_eq!(of(Kind::Attached, on.clone(), None).0, Grade::Warning);
        assert_eq!(of(Kind::NotInstalled, on, None).0, Grade::Skipped);
    }

    #[test]
    fn only_units_of_systemd_need_to_linger() {
        let of =
            |lingers| with(Kind::Systemd, LoginItem::On, |look| linger(look, Some(&boot(Ok(true), lingers, None))));
        assert_eq!(of(Some(Ok(true))).grade, Grade::Ok);
        assert_eq!(of(Some(Ok(false))).mend.as_deref(), Some("loginctl enable-linger"));
        assert_eq!(of(Some(Err("x".to_owned()))).grade, Grade::Skipped);
        assert_eq!(of(None).grade, Grade::Skipped);
    }
}
