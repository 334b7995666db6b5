//! The macOS side of the interface: libproc, kqueue, sysctl.
#![expect(unsafe_code, reason = "libproc, sysctl and kqueue have no safe interface")]

use std::ffi::{CStr, c_int, c_void};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use listeners::{Protocol, SocketState};
use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
use rustix::io::Errno;
use rustix::process::{Pid, kill_process};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::port::Listener;
use super::process::{ProcessKey, Row, Signal};

pub(super) fn boot_id() -> Option<String> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: the buffer holds `length` bytes, the kernel writes at most that many, and the name ends in zero.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if result != 0 {
        return None;
    }
    let id = CStr::from_bytes_until_nul(&text).ok()?.to_str().ok()?;
    Some(id.to_owned()).filter(|id| !id.is_empty())
}

pub(super) fn awake() -> i64 {
    read_clock(libc::CLOCK_UPTIME_RAW) / 1_000_000
}

pub(super) fn elapsed() -> i64 {
    read_clock(libc::CLOCK_MONOTONIC_RAW) / 1_000_000
}

/// A clock's time in nanoseconds.
fn read_clock(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of our own. Both clocks exist since macOS 10.12, so the call cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

/// The processes that listen on a port, on whatever address.
pub(super) fn listening(port: u16) -> Result<Vec<Listener>, String> {
    let sockets = listeners::get_all().map_err(|error| error.to_string())?.into_iter();
    let listening = sockets.filter(|socket| {
        socket.protocol == Protocol::TCP && socket.state == SocketState::Listen && socket.socket.port() == port
    });
    let listeners = listening.map(|socket| Listener {
        pid: socket.process.pid,
        name: socket.process.name,
        address: socket.socket.ip(),
    });
    Ok(listeners.collect())
}

/// APFS moves nothing to the beginning: the front becomes a hole.
pub(super) fn cut_front(file: &std::fs::File, length: u64) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;

    let length = libc::off_t::try_from(length).map_err(|_| Errno::INVAL)?;
    let hole = libc::fpunchhole_t { fp_flags: 0, reserved: 0, fp_offset: 0, fp_length: length };
    // SAFETY: the descriptor is open for the whole call, and the kernel only reads the struct, which is of the type
    // that this command takes (`fcntl(2)`).
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) } == -1 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    Ok(())
}

/// Asks libproc for one of its plain structs. `argument` 1 makes `PROC_PIDTBSDINFO` find zombies too.
fn pid_info<T: Copy>(pid: u32, flavor: c_int, argument: u64) -> Option<T> {
    let pid = c_int::try_from(pid).ok()?;
    let size = c_int::try_from(size_of::<T>()).ok()?;
    let mut info = MaybeUninit::<T>::zeroed();
    // SAFETY: the buffer is `size` bytes long and libproc writes no more than that.
    let written = unsafe { libc::proc_pidinfo(pid, flavor, argument, info.as_mut_ptr().cast::<c_void>(), size) };
    // SAFETY: libproc filled all of it; `T` is one of its structs of integers.
    (written == size).then(|| unsafe { info.assume_init() })
}

fn bsd_info(pid: u32) -> Option<libc::proc_bsdinfo> {
    pid_info(pid, libc::PROC_PIDTBSDINFO, 1)
}

pub(super) fn row(pid: u32) -> Option<Row> {
    let info = bsd_info(pid)?;
    let started = info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec);
    let dead = info.pbi_status == libc::SZOMB;
    Some(Row { key: ProcessKey { pid, started }, parent: info.pbi_ppid, session: session(pid), dead })
}

fn session(pid: u32) -> Option<u32> {
    let session = rustix::process::getsid(super::process::system_pid(pid)).ok()?;
    u32::try_from(session.as_raw_nonzero().get()).ok()
}

pub(super) fn pids() -> Vec<u32> {
    // SAFETY: with no buffer, libproc only counts.
    let count = unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) };
    // Some may start between the two calls.
    let mut pids = vec![0_i32; usize::try_from(count).unwrap_or(0) + 64];
    let size = c_int::try_from(pids.len() * size_of::<i32>()).unwrap_or(0);
    // SAFETY: the buffer is `size` bytes long and libproc writes no more than that.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast::<c_void>(), size) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    pids.into_iter().filter_map(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0).collect()
}

fn with_sysinfo<T>(pid: u32, kind: ProcessRefreshKind, read: impl FnOnce(&sysinfo::Process) -> T) -> Option<T> {
    let mut system = System::new().ok()?;
    let pid = sysinfo::Pid::from_u32(pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    system.process(pid).map(read)
}

pub(super) fn argv(pid: u32) -> Vec<String> {
    let kind = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    let arguments = with_sysinfo(pid, kind, |process| {
        process.cmd().iter().map(|argument| argument.to_string_lossy().trim_end().to_owned()).collect::<Vec<_>>()
    });
    arguments.unwrap_or_default().into_iter().filter(|argument| !argument.is_empty()).collect()
}

/// macOS hides the environment of other processes from most programs, so no answer is built on it.
pub(super) fn environment(_pid: u32) -> Option<Vec<(String, String)>> {
    None
}

pub(super) fn working_dir(pid: u32) -> Option<PathBuf> {
    let kind = ProcessRefreshKind::nothing().with_cwd(UpdateKind::Always);
    with_sysinfo(pid, kind, |process| process.cwd().map(PathBuf::from)).flatten()
}

pub(super) fn uid(pid: u32) -> Option<u32> {
    Some(bsd_info(pid)?.pbi_uid)
}

/// Awake time since the start: the start is kept in ticks of the clock that stands still in sleep.
pub(super) fn age(key: &ProcessKey) -> Option<Duration> {
    let pid = c_int::try_from(key.pid).ok()?;
    let mut usage = MaybeUninit::<libc::rusage_info_v0>::zeroed();
    // SAFETY: the buffer is the struct that this flavor fills.
    let result =
        unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V0, usage.as_mut_ptr().cast::<libc::rusage_info_t>()) };
    if result != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so all of it is filled; the struct holds integers only.
    let started = nanoseconds(unsafe { usage.assume_init() }.ri_proc_start_abstime)?;
    let now = u64::try_from(read_clock(libc::CLOCK_UPTIME_RAW)).ok()?;
    Some(Duration::from_nanos(now.saturating_sub(started)))
}

/// Ticks of `mach_absolute_time` in nanoseconds.
#[expect(deprecated, reason = "one call is not worth the mach2 crate that libc points to")]
fn nanoseconds(ticks: u64) -> Option<u64> {
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: `base` is a struct of our own of the right type.
    if unsafe { libc::mach_timebase_info(&raw mut base) } != 0 || base.denom == 0 {
        return None;
    }
    u64::try_from(u128::from(ticks) * u128::from(base.numer) / u128::from(base.denom)).ok()
}

pub(super) fn resident(pid: u32) -> Option<u64> {
    Some(pid_info::<libc::proc_taskinfo>(pid, libc::PROC_PIDTASKINFO, 0)?.pti_resident_size)
}

pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    let info = pid_info::<libc::proc_taskinfo>(pid, libc::PROC_PIDTASKINFO, 0)?;
    nanoseconds(info.pti_total_user.saturating_add(info.pti_total_system)).map(Duration::from_nanos)
}

/// With no buffer, libproc tells the size that the list would take, with room for some more files.
pub(super) fn open_files(pid: u32) -> Option<u64> {
    let pid = c_int::try_from(pid).ok()?;
    // SAFETY: with no buffer, libproc only counts.
    let size = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDLISTFDS, 0, std::ptr::null_mut(), 0) };
    let size = usize::try_from(size).ok().filter(|size| *size > 0)?;
    let mut list = vec![0_u8; size];
    // SAFETY: the buffer is as long as libproc is told.
    let filled = unsafe {
        libc::proc_pidinfo(
            pid,
            libc::PROC_PIDLISTFDS,
            0,
            list.as_mut_ptr().cast::<c_void>(),
            c_int::try_from(size).ok()?,
        )
    };
    let filled = usize::try_from(filled).ok().filter(|filled| *filled > 0)?;
    u64::try_from(filled / size_of::<libc::proc_fdinfo>()).ok()
}

/// A kqueue that becomes readable when the process ends.
pub(super) fn exit_handle(pid: Pid) -> Result<OwnedFd, Errno> {
    let queue = kqueue()?;
    let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
    let change = Event::new(filter, EventFlags::ADD | EventFlags::ONESHOT, std::ptr::null_mut());
    let mut events: [Event; 0] = [];
    // SAFETY: the event names a pid, not a file descriptor, so there is none that could be closed too early.
    unsafe { kevent(&queue, &[change], &mut events[..], Some(Duration::ZERO)) }?;
    Ok(queue)
}

/// macOS has no handle for a process: the signal follows the check at once.
pub(super) fn signal(key: ProcessKey, pid: Pid, signal: Signal) -> Result<(), Errno> {
    if !super::process::is_running(key) {
        return Err(Errno::SRCH);
    }
    kill_process(pid, signal.raw())
}
