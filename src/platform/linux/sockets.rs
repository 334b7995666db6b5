//! Who listens on a TCP port: the kernel's own answer over netlink (`sock_diag(7)`), which costs the same however many
//! connections the machine has. The lists in `/proc/net` grow with each of them.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

use super::pids;
use crate::platform::port::Listener;

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` of `linux/netlink.h`: every socket that fits.
const DUMP: u16 = 0x301;
/// `NLMSG_ERROR` of `linux/netlink.h`, and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// The bit of `TCP_LISTEN` of `net/tcp_states.h`.
const LISTENING: u32 = 1 << 10;
/// Length of a `struct nlmsghdr`.
const HEADER: usize = 16;
/// Length of a `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
/// Length of both, as the header says it.
const QUESTION_LENGTH: u32 = 72;

/// Limit for one answer: the kernel gives it at once.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// So many holders of sockets are remembered: more than one process watches.
const MOST_REMEMBERED: usize = 4096;

/// Where a socket was held when somebody asked last, by its inode. Only a hint: it is looked at before it is believed.
static HOLDERS: Mutex<BTreeMap<u32, PathBuf>> = Mutex::new(BTreeMap::new());

/// The processes that listen on a port, on whatever address. A socket that no process can be named for is left out.
pub(in crate::platform) fn listening(port: u16) -> Result<Vec<Listener>, String> {
    let sockets = [AddressFamily::INET, AddressFamily::INET6].map(|family| ask(family, port));
    let mut found = Vec::new();
    for sockets in sockets {
        let sockets = sockets.map_err(|errno| format!("the system does not tell who listens: {errno}"))?;
        for (address, inode) in sockets {
            if let Some(pid) = holder(inode) {
                let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned();
                found.push(Listener { pid, name, address });
            }
        }
    }
    Ok(found)
}

/// The sockets of a family that listen on a port: each its address and its inode.
fn ask(family: AddressFamily, port: u16) -> Result<Vec<(IpAddr, u32)>, Errno> {
    let protocol = Some(netlink::SOCK_DIAG);
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_LIMIT))?;
    send(&socket, &question(family, port), SendFlags::empty())?;
    let mut found = Vec::new();
    // The kernel sends no more at once than there is room for.
    let mut buffer = [0; 16 * 1024];
    loop {
        let (_, length) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if read_answer(&buffer[..length], &mut found)? {
            return Ok(found);
        }
    }
}

/// A `struct nlmsghdr` and a `struct inet_diag_req_v2`, of which the source port restricts what is listed.
fn question(family: AddressFamily, port: u16) -> [u8; HEADER + REQUEST] {
    let mut question = [0; HEADER + REQUEST];
    question[0..4].copy_from_slice(&QUESTION_LENGTH.to_ne_bytes());
    question[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    question[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    question[HEADER] = if family == AddressFamily::INET { 2 } else { 10 };
    question[HEADER + 1] = TCP;
    question[HEADER + 4..HEADER + 8].copy_from_slice(&LISTENING.to_ne_bytes());
    question[HEADER + 8..HEADER + 10].copy_from_slice(&port.to_be_bytes());
    question
}

/// Takes the sockets out of one part of the answer; whether it was the last part.
fn read_answer(mut rest: &[u8], found: &mut Vec<(IpAddr, u32)>) -> Result<bool, Errno> {
    while let Some(length) = number(rest, 0).and_then(|length| usize::try_from(length).ok()) {
        let Some(message) = rest.get(..length).filter(|message| message.len() >= HEADER) else { break };
        let body = &message[HEADER..];
        match u16::from_ne_bytes([message[4], message[5]]) {
            DONE => return Ok(true),
            ERROR => return Err(error(body)),
            BY_FAMILY => found.extend(socket(body)),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The negative number that a `struct nlmsgerr` begins with.
fn error(body: &[u8]) -> Errno {
    number(body, 0).map_or(Errno::PROTO, |code| Errno::from_raw_os_error(code.cast_signed().saturating_neg()))
}

/// A `struct inet_diag_msg`: the family, at 8 the source address, at 68 the inode.
fn socket(body: &[u8]) -> Option<(IpAddr, u32)> {
    let address: [u8; 16] = body.get(8..24)?.try_into().ok()?;
    let address = match *body.first()? {
        2 => IpAddr::V4(Ipv4Addr::new(address[0], address[1], address[2], address[3])),
        _ => IpAddr::V6(Ipv6Addr::from(address)),
    };
    Some((address, number(body, 68)?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A process that has a socket open.
fn holder(inode: u32) -> Option<u32> {
    let file = remembered(inode).or_else(|| {
        // One search at a time: the first finds what the others look for.
        static SEARCH: Mutex<()> = Mutex::new(());
        let _turn = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        remembered(inode).or_else(|| search(inode))
    })?;
    // `/proc/PID/fd/NUMBER`
    file.iter().nth(2)?.to_str()?.parse().ok()
}

/// Where the socket was seen, if it is still there.
fn remembered(inode: u32) -> Option<PathBuf> {
    let file = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner).get(&inode).cloned()?;
    (socket_of(&file) == Some(inode)).then_some(file)
}

/// Goes through every open file that Lifeguard may look at, process by process, until one has the socket; remembers the
/// other sockets on the way.
fn search(inode: u32) -> Option<PathBuf> {
    pids().into_iter().find_map(|pid| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let sockets: Vec<(u32, PathBuf)> = files
            .filter_map(|file| {
                let file = file.ok()?.path();
                Some((socket_of(&file)?, file))
            })
            .collect();
        let found = sockets.iter().find(|(socket, _)| *socket == inode).map(|(_, file)| file.clone());
        let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.len() >= MOST_REMEMBERED {
            holders.clear();
        }
        holders.extend(sockets);
        found
    })
}

/// The inode of the socket that an open file is.
fn socket_of(file: &Path) -> Option<u32> {
    let target = fs::read_link(file).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn every_address_that_is_listened_on_is_found() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let bound = listener.local_addr().unwrap();
            let found = listening(bound.port()).unwrap();
            let mine: Vec<&Listener> = found.iter().filter(|found| found.pid == std::process::id()).collect();
            assert_eq!(mine.iter().map(|found| found.address).collect::<Vec<_>>(), [bound.ip()], "{address}");
            assert!(!mine[0].name.is_empty());
        }
    }

    #[test]
    fn a_holder_that_is_remembered_is_looked_at_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let inode = ask(AddressFamily::INET, port).unwrap()[0].1;
        for wrong in ["/proc/1/fd/0", "/nowhere"] {
            HOLDERS.lock().unwrap().insert(inode, PathBuf::from(wrong));
            assert_eq!(holder(inode), Some(std::process::id()));
        }
        drop(listener);
        assert_eq!(listening(port).unwrap(), []);
        assert_eq!(holder(inode), None);
    }

    #[test]
    fn an_answer_that_is_cut_or_an_error_is_no_socket() {
        let mut found = Vec::new();
        let mut answer = question(AddressFamily::INET, 1).to_vec();
        answer.extend([0; 72 - REQUEST]);
        answer[0..4].copy_from_slice(&88_u32.to_ne_bytes());
        assert_eq!(read_answer(&answer, &mut found), Ok(false));
        assert_eq!(found.len(), 1);
        for length in 0..answer.len() {
            assert_eq!(read_answer(&answer[..length], &mut found), Ok(false), "{length}");
        }
        answer[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        answer[16..20].copy_from_slice(&(-13_i32).to_ne_bytes());
        assert_eq!(read_answer(&answer, &mut found), Err(Errno::ACCESS));
        assert_eq!(found.len(), 1);
    }
}
