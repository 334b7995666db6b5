//! The desktop: whether it takes notifications, and whether it starts Lifeguard.

use super::{Finding, Ground};
use crate::alert::native::{self, NativeSettings};
use crate::platform::desktop::login_item::{self, LoginItem};
use crate::text::Phrase;
use crate::text::check::own::OwnRemark;
use crate::text::check::{Grade, Subject};
use crate::text::problem::Problem;

pub(super) async fn notifications(ground: &Ground<'_>) -> Finding {
    match &ground.config {
        Err(_) => ground.finding(Subject::Notifications, Grade::Skipped, &OwnRemark::ConfigFirst),
        Ok(config) if !config.alerts.native.enabled => {
            ground.finding(Subject::Notifications, Grade::Skipped, &OwnRemark::NotificationsOff)
        }
        Ok(_) => {
            let bus = ground.environment.text("DBUS_SESSION_BUS_ADDRESS").map(str::to_owned);
            judge(ground, native::available(&NativeSettings { bus }).await)
        }
    }
}

fn judge(ground: &Ground<'_>, found: Result<(), Problem>) -> Finding {
    let mend = match &found {
        Ok(()) => return ground.finding(Subject::Notifications, Grade::Ok, &OwnRemark::NotificationsGood),
        Err(Problem::NoNotificationDaemon) => "sudo apt-get install xfce4-notifyd",
        Err(Problem::NotPermitted | Problem::NotInBundle) => {
            "open 'x-apple.systempreferences:com.apple.Notifications-Settings.extension'"
        }
        // Without a desktop there is nobody to notify: other channels are the way.
        Err(_) => "lifeguard alerts test",
    };
    let problem = found.err().map(|problem| problem.say(ground.language)).unwrap_or_default();
    ground.finding(Subject::Notifications, Grade::Warning, &OwnRemark::NotificationsBad(problem)).mend(mend)
}

pub(super) fn login_item(ground: &Ground<'_>) -> Finding {
    let remark = OwnRemark::Login(ground.login_item.clone());
    let finding = |grade| ground.finding(Subject::LoginItem, grade, &remark);
    match &ground.login_item {
        LoginItem::On | LoginItem::Agent => finding(Grade::Ok),
        LoginItem::Off | LoginItem::SwitchedOff | LoginItem::AnotherCopy(_) => {
            finding(Grade::Warning).mend("lifeguard login-item on")
        }
        LoginItem::NeedsApproval => finding(Grade::Warning).mend(format!("open '{}'", login_item::SETTINGS)),
        LoginItem::Unavailable => finding(Grade::Skipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::sample::Stage;
    use crate::config::Config;

    #[tokio::test]
    async fn notifications_are_good_bad_or_off() {
        let stage = Stage::new();
        assert_eq!(judge(&stage.ground(), Ok(())).grade, Grade::Ok);
        let none = judge(&stage.ground(), Err(Problem::NoNotificationDaemon));
        assert_eq!(none.grade, Grade::Warning);
        assert!(none.mend.unwrap().contains("notifyd"));
        assert!(judge(&stage.ground(), Err(Problem::NotPermitted)).mend.unwrap().starts_with("open "));
        let mut off = Config::default();
        off.alerts.native.enabled = false;
        let skipped = notifications(&Ground { config: Ok(&off), ..stage.ground() }).await;
        assert_eq!(skipped.grade, Grade::Skipped);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_bus_that_is_not_there_is_told() {
        let stage = Stage::new();
        let environment = stage.environment.clone().with([("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")]);
        let found = notifications(&Ground { environment: &environment, ..stage.ground() }).await;
        assert_eq!(found.grade, Grade::Warning);
        assert!(found.mend.is_some());
    }

    #[test]
    fn a_login_item_is_on_off_or_not_to_be_had() {
        let stage = Stage::new();
        let of = |login_item| login_item_of(&stage, login_item);
        assert_eq!(of(LoginItem::On).grade, Grade::Ok);
        assert_eq!(of(LoginItem::Off).mend.as_deref(), Some("lifeguard login-item on"));
        assert_eq!(of(LoginItem::AnotherCopy("/x".into())).grade, Grade::Warning);
        assert!(of(LoginItem::NeedsApproval).mend.unwrap().starts_with("open "));
        assert_eq!(of(LoginItem::Unavailable).grade, Grade::Skipped);
    }

    fn login_item_of(stage: &Stage, login_item: LoginItem) -> Finding {
        super::login_item(&Ground { login_item, ..stage.ground() })
    }
}
