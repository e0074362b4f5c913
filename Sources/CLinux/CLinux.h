// What Glibc's Swift module lacks: epoll, eventfd, signalfd, accept4, memfd_create, prctl, posix_spawn extensions.
//
// Without _GNU_SOURCE, because the other modules read the same system headers without it, and the compiler refuses a type
// that looks different in two modules. The few GNU calls are declared below.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int accept4(int listening, struct sockaddr *address, socklen_t *size, int flags);
int memfd_create(const char *name, unsigned int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1U
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif

// accept4(2) without the peer's address, which a UNIX socket has none of. The connection blocks, as libfcgi needs it.
static inline int accept_connection(int listening) {
    return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}
