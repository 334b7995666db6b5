//! Copies, comparisons and the way back, on real files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const AT: i64 = 1_795_356_202_007;

/// A gateway's configuration and a place for its copies.
struct Home {
    folder: tempfile::TempDir,
    guard: ConfigGuard,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let claw = folder.path().join("claw");
        fs::create_dir(&claw).unwrap();
        let guard = ConfigGuard::new(&folder.path().join("state"), "home/1", &claw.join("openclaw.json"), true);
        Self { folder, guard }
    }

    fn write(&self, text: &str) {
        fs::write(self.guard.config(), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.guard.config()).unwrap()
    }

    async fn keep(&self, at: i64) -> Result<(), GuardError> {
        let stamp = self.guard.look().await.stamp.unwrap();
        self.guard.keep(stamp, at).await
    }

    /// What lies beside the configuration.
    fn beside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.guard.config().parent().unwrap()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned());
        names.filter(|name| name != "openclaw.json").collect()
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_copy_is_private_kept_once_and_compared() {
    let home = Home::new();
    assert_eq!(home.guard.look().await, Look::default(), "there is no file");
    home.write(r#"{"gateway": {"mode": "local"}}"#);
    let look = home.guard.look().await;
    assert_eq!(look.standing, ConfigStanding::Unknown, "there is no copy");
    assert!((look.edited.unwrap() - crate::platform::clock::wall()).abs() < 60_000, "{look:?}");
    home.keep(AT).await.unwrap();
    home.keep(AT + 1_000).await.unwrap();
    let [copy] = &home.guard.copies()[..] else { panic!("{:?}", home.guard.copies()) };
    assert_eq!(copy.taken, AT);
    assert!(copy.path.ends_with("state/configs/home-1/20261122T140322.007Z.json"), "{}", copy.path.display());
    assert_eq!((mode(&copy.path), mode(copy.path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(home.guard.look().await.standing, ConfigStanding::Good);

    home.write(r#"{"gateway": {"mode": "local", "bogus": true}}"#);
    let alteration = Alteration::Settings(vec!["+ gateway.bogus = true".to_owned()]);
    assert_eq!(home.guard.look().await.standing, ConfigStanding::Changed(ConfigChange { good: AT, alteration }));
    fs::remove_file(home.guard.config()).unwrap();
    let gone = home.guard.look().await;
    assert_eq!(gone.standing, ConfigStanding::Changed(ConfigChange { good: AT, alteration: Alteration::Missing }));
    assert_eq!((gone.stamp, gone.edited), (None, None));
}

#[tokio::test]
async fn the_newest_ten_copies_stay() {
    let home = Home::new();
    for number in 0..13 {
        home.write(&format!("{{a: {number}}}"));
        home.keep(AT + number * 1_000).await.unwrap();
    }
    let copies = home.guard.copies();
    assert_eq!((copies.len(), copies[0].taken, copies[9].taken), (KEPT_COPIES, AT + 12_000, AT + 3_000));
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_not_kept() {
    let home = Home::new();
    home.write("{a: 1}");
    let stamp = home.guard.look().await.stamp.unwrap();
    home.write("{a: 2}");
    assert!(matches!(home.guard.keep(stamp, AT).await, Err(GuardError::JustEdited(_))));
    assert_eq!(home.guard.copies(), []);
}

#[tokio::test]
async fn no_copy_is_kept_in_a_git_tree_or_where_nobody_wants_one() {
    let home = Home::new();
    home.write("{a: 1}");
    let off = ConfigGuard::new(home.folder.path(), "home", home.guard.config(), false);
    off.keep(off.look().await.stamp.unwrap(), AT).await.unwrap();
    assert_eq!(off.copies(), []);
    fs::create_dir(home.folder.path().join(".git")).unwrap();
    let refused = home.keep(AT).await.unwrap_err();
    assert!(refused.to_string().contains("lies in a git tree"), "{refused}");
    assert_eq!(home.guard.copies(), []);
}

#[tokio::test]
async fn the_good_one_comes_back_and_the_edit_stays_beside_it() {
    let home = Home::new();
    home.write("{a: 1}");
    home.keep(AT).await.unwrap();
    home.write("{a: ");
    fs::set_permissions(home.guard.config(), Permissions::from_mode(0o640)).unwrap();
    let done = home.guard.roll_back(AT + 5_000).await.unwrap();
    let name = "openclaw.json.rejected-20261122T140327.007Z";
    assert_eq!((done.good, home.beside()), (AT, vec![name.to_owned()]));
    let beside = done.kept_beside.unwrap();
    assert_eq!((home.text(), fs::read_to_string(&beside).unwrap()), ("{a: 1}".to_owned(), "{a: ".to_owned()));
    assert_eq!((mode(home.guard.config()), mode(&beside)), (0o640, 0o640));
    assert_eq!(home.guard.look().await.standing, ConfigStanding::Good);

    let again = home.guard.roll_back(AT + 6_000).await.unwrap_err();
    assert!(matches!(again, GuardError::Unchanged), "{again}");
    fs::remove_file(home.guard.config()).unwrap();
    let done = home.guard.roll_back(AT + 7_000).await.unwrap();
    assert_eq!((done.kept_beside, home.text(), mode(home.guard.config())), (None, "{a: 1}".to_owned(), 0o600));
}

#[tokio::test]
async fn an_edit_that_was_kept_beside_is_never_overwritten() {
    let home = Home::new();
    home.write("{a: 1}");
    home.keep(AT).await.unwrap();
    home.write("{b: 1}");
    home.guard.roll_back(AT).await.unwrap();
    home.write("{c: 1}");
    let refused = home.guard.roll_back(AT).await.unwrap_err();
    assert!(refused.to_string().contains(".rejected-"), "{refused}");
    assert_eq!(home.text(), "{c: 1}");
    let beside = home.guard.config().with_file_name(&home.beside()[0]);
    assert_eq!(fs::read_to_string(beside).unwrap(), "{b: 1}");
}

#[tokio::test]
async fn without_a_copy_nothing_is_put_back() {
    let home = Home::new();
    home.write("{a: 1}");
    assert!(matches!(home.guard.roll_back(AT).await, Err(GuardError::NoCopy)));
    assert_eq!((home.text(), home.beside()), ("{a: 1}".to_owned(), Vec::new()));
}

#[tokio::test]
async fn a_link_within_the_folder_is_followed_and_one_out_of_it_is_not() {
    let home = Home::new();
    let config = home.guard.config().to_owned();
    let real = config.with_file_name("real.json");
    fs::write(&real, "{a: 1}").unwrap();
    symlink("real.json", &config).unwrap();
    home.keep(AT).await.unwrap();
    fs::write(&real, "{a: 2}").unwrap();
    home.guard.roll_back(AT + 1_000).await.unwrap();
    assert_eq!((fs::read_to_string(&real).unwrap(), config.is_symlink()), ("{a: 1}".to_owned(), true));

    let outside = home.folder.path().join("dotfiles.json");
    fs::write(&outside, "{a: 3}").unwrap();
    fs::remove_file(&config).unwrap();
    symlink(&outside, &config).unwrap();
    let refused = home.guard.roll_back(AT + 2_000).await.unwrap_err();
    let copy = home.guard.copies()[0].path.display().to_string();
    assert!(refused.to_string().contains("outside of its folder") && refused.to_string().contains(&copy), "{refused}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "{a: 3}");
}

#[tokio::test]
async fn what_is_moved_here_is_as_new_as_the_move() {
    let home = Home::new();
    home.write("{a: 1}");
    let before = home.guard.look().await;
    let old = home.guard.config().with_file_name("old.json");
    fs::write(&old, "{a: 2}").unwrap();
    fs::File::open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::rename(&old, home.guard.config()).unwrap();
    let after = home.guard.look().await;
    assert_ne!(after.stamp, before.stamp);
    assert!(after.edited >= before.edited, "{after:?} {before:?}");
}

#[tokio::test]
async fn a_pipe_a_folder_and_an_endless_file_are_no_configuration() {
    let home = Home::new();
    let config = home.guard.config();
    fs::create_dir(config).unwrap();
    assert_eq!(home.guard.look().await, Look::default());
    fs::remove_dir(config).unwrap();
    fs::File::create(config).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(home.guard.look().await, Look::default());
    fs::remove_file(config).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(config).status().unwrap().success());
    assert_eq!(home.guard.look().await, Look::default());
}
