# SPDX-License-Identifier: Apache-2.0
"""What filters refuse, in groups of system calls that belong together.

The numbers in tests are Linux's own, the same on both architectures.
"""

import errno
from typing import Final

from lao.isolation.bpf import OWN_PID, AllowOnly, Refuse, RefuseWhere, Rules, Test

_UNIX: Final = 1  # AF_UNIX
_NETLINK: Final = 16
_INTERNET: Final = (2, 10)  # AF_INET, AF_INET6
_TYPE: Final = 0xF  # what is left of a socket's type without its flags
_STREAM: Final = 1
_SEQPACKET: Final = 5
_TCP: Final = (0, 6)  # 0 chooses TCP; MPTCP is another protocol of the same type
_FAST_OPEN: Final = 0x20000000  # MSG_FASTOPEN: a connect() inside of a send
_NAMESPACES: Final = 0x7E020000  # every CLONE_NEW* that clone() takes
_THREAD: Final = 0x10000
_WHITEOUT: Final = 4  # RENAME_WHITEOUT: a device stays where the file was
_SIBLING: Final = 0x8000  # CLONE_PARENT: a child that is its parent's parent's


def _refused(names: str, error: int = errno.EPERM) -> Rules:
    return {name: Refuse(error) for name in names.split()}


def _no_bits(argument: int, bits: int) -> RefuseWhere:
    return RefuseWhere(Test(argument, (bits,), mask=bits))


# io_uring makes other calls where no filter sees them, clone3 keeps its flags where
# none sees them; the C library takes another way where they do not exist.
_UNSEEN: Final = _refused(
    "io_uring_setup io_uring_enter io_uring_register clone3", errno.ENOSYS
)
_SPYING: Final = _refused(
    "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp"
    " pidfd_getfd"
)
_KERNEL: Final = _refused(
    "bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load"
    " kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct"
    " quotactl quotactl_fd setdomainname iopl ioperm modify_ldt settimeofday"
    " clock_settime clock_adjtime adjtimex syslog vhangup uselib ustat sysfs"
    " open_by_handle_at name_to_handle_at fanotify_init fanotify_mark lookup_dcookie"
    " nfsservctl _sysctl migrate_pages move_pages memfd_secret"
)
_SENDING: Final[Rules] = {
    "sendto": _no_bits(3, _FAST_OPEN),
    "sendmsg": _no_bits(2, _FAST_OPEN),
    "sendmmsg": _no_bits(3, _FAST_OPEN),
    # One of a pair of datagram sockets could send to any address of the machine.
    "socketpair": AllowOnly((Test(0, (_UNIX,)), Test(1, (_STREAM, _SEQPACKET), _TYPE))),
}
_IOCTL: Final[Rules] = {
    "ioctl": RefuseWhere(
        Test(
            1,
            (
                0x5412,  # TIOCSTI: type into the terminal
                0x541C,  # TIOCLINUX: the console's selection, pasted
                0x541D,  # TIOCCONS: take the console's output
                0x5423,  # TIOCSETD: another line discipline
                0x8901,  # FIOSETOWN: signals to another process
                0x8902,  # SIOCSPGRP: the same, of a socket
                # What changes a file, or its file system, that is open to be read.
                0x40086602,  # FS_IOC_SETFLAGS
                0x401C5820,  # FS_IOC_FSSETXATTR
                0x40087602,  # FS_IOC_SETVERSION
                0x40086604,  # EXT4_IOC_SETVERSION
                0x40806685,  # FS_IOC_ENABLE_VERITY: nobody can change it any more
                0x800C6613,  # FS_IOC_SET_ENCRYPTION_POLICY
                0xC0506617,  # FS_IOC_ADD_ENCRYPTION_KEY
                0xC0406618,  # FS_IOC_REMOVE_ENCRYPTION_KEY: the user's folders shut
                0x50009401,  # BTRFS_IOC_SNAP_CREATE: files of elsewhere, in scratch
                0x50009417,  # BTRFS_IOC_SNAP_CREATE_V2
                0x5000940E,  # BTRFS_IOC_SUBVOL_CREATE
                0x50009418,  # BTRFS_IOC_SUBVOL_CREATE_V2
                0x5000940F,  # BTRFS_IOC_SNAP_DESTROY
                0x5000943F,  # BTRFS_IOC_SNAP_DESTROY_V2
                0x4008941A,  # BTRFS_IOC_SUBVOL_SETFLAGS
            ),
        )
    )
}
# All that Python and the C library ask for. Many others work on a file that is open
# to be read, or tell of network devices, and no list of them is ever whole.
FEW_IOCTLS: Final[Rules] = {
    "ioctl": AllowOnly(
        (
            Test(
                1,
                (
                    0x5401,  # TCGETS: is it a terminal?
                    0x802C542A,  # TCGETS2: the same
                    0x5413,  # TIOCGWINSZ: how wide?
                    0x541B,  # FIONREAD
                    0x5421,  # FIONBIO
                    0x5450,  # FIONCLEX
                    0x5451,  # FIOCLEX
                ),
            ),
        )
    )
}
TO_ALL: Final[Rules] = {**_UNSEEN, **_SPYING, **_KERNEL, **_SENDING, **_IOCTL}

NAMESPACES: Final = _refused(
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick"
    " mount_setattr unshare setns sethostname"
)

# Nothing of the lock is undone, or made to look as if it were.
FINAL_LOCK: Final[Rules] = {
    **_refused("seccomp personality"),
    # Who becomes somebody else, if only by a group, loses the death signal.
    **_refused(
        "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups"
        " capset"
    ),
    "prctl": RefuseWhere(
        Test(
            0,
            (
                1,  # PR_SET_PDEATHSIG: live on without the parent
                4,  # PR_SET_DUMPABLE: be read by others
                22,  # PR_SET_SECCOMP: a filter that tells libraries lies
                35,  # PR_SET_MM: another command line in /proc
                62,  # PR_SCHED_CORE: share a core with a chosen process
                0x59616D61,  # PR_SET_PTRACER: be debugged by others
            ),
        )
    ),
}

NO_NEW_SOCKETS: Final = _refused("socket connect bind")
NETWORK: Final[Rules] = {**NO_NEW_SOCKETS, **_refused("listen accept accept4")}

NO_CHILDREN: Final[Rules] = {
    **_refused("fork vfork execve execveat"),
    "clone": AllowOnly((Test(0, (_THREAD,), mask=_THREAD | _NAMESPACES),)),
}
NO_NAMESPACES: Final[Rules] = {"clone": AllowOnly((Test(0, (0,), mask=_NAMESPACES),))}
ALONE: Final = _refused("fork vfork execve execveat clone socketpair")
PLAIN_CHILDREN: Final[Rules] = {
    **_refused("execveat"),  # it needs no name, so that it runs what has none
    "clone": AllowOnly((Test(0, (0,), mask=_NAMESPACES | _SIBLING),)),
}

_NO_OTHER: Final = AllowOnly((Test(0, (0, OWN_PID)),))
OTHER_PROCESSES: Final[Rules] = {
    **_refused(
        "tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal setsid"
        " setpgid setpriority ioprio_set"
    ),
    "kill": AllowOnly((Test(0, (OWN_PID,)),)),
    "tgkill": AllowOnly((Test(0, (OWN_PID,)),)),
    "prlimit64": _NO_OTHER,
    "sched_setaffinity": _NO_OTHER,
    "sched_setattr": _NO_OTHER,
    "sched_setparam": _NO_OTHER,
    "sched_setscheduler": _NO_OTHER,
    "fcntl": RefuseWhere(
        Test(
            1,
            (
                8,  # F_SETOWN: signals to another process
                10,  # F_SETSIG
                15,  # F_SETOWN_EX
                1024,  # F_SETLEASE: hold up who opens the file
                1026,  # F_NOTIFY: watch a folder
            ),
        )
    ),
}

# Memory that outlives the process, that others reach, or that no limit counts.
SHARED_MEMORY: Final = _refused(
    "memfd_create shmget shmat shmctl semget semop semtimedop semctl msgget msgsnd"
    " msgrcv msgctl mq_open mq_unlink io_setup"
)
WATCHING: Final = _refused("inotify_init inotify_init1 inotify_add_watch")

# What Landlock does not see: it works on files that are outside of every rule.
METADATA: Final[Rules] = {
    **_refused(
        "chmod fchmod fchmodat chown lchown fchown fchownat setxattr lsetxattr fsetxattr"
        " getxattr lgetxattr listxattr llistxattr removexattr lremovexattr fremovexattr"
        " utime utimes futimesat utimensat mknod mknodat"
    ),
    "renameat2": _no_bits(4, _WHITEOUT),
}
NO_FILES: Final = _refused(
    "open openat openat2 creat truncate unlink unlinkat rename renameat renameat2 mkdir"
    " mkdirat rmdir link linkat symlink symlinkat"
)


def _sockets(families: tuple[int, ...], protocols: tuple[int, ...]) -> Rules:
    """Allow stream sockets of these families and protocols."""
    tests = (Test(0, families), Test(1, (_STREAM,), _TYPE), Test(2, protocols))
    return {"socket": AllowOnly(tests)}


UNIX_SERVER: Final[Rules] = {**_refused("connect"), **_sockets((_UNIX,), (0,))}
LOOPBACK_CLIENT: Final[Rules] = {
    **_refused("listen accept accept4"),
    **_sockets(_INTERNET, _TCP),
}
UNIX_CLIENT: Final[Rules] = {**LOOPBACK_CLIENT, **_sockets((_UNIX, *_INTERNET), _TCP)}

# bubblewrap asks the kernel for routes, to set up its own loopback device.
NO_INTERNET: Final[Rules] = {
    **_refused("connect"),
    "socket": AllowOnly((Test(0, (_UNIX, _NETLINK)), Test(2, (0,)))),
}
