// What Glibc's Swift module lacks: epoll, eventfd, signalfd, accept4, memfd_create, prctl, posix_spawn extensions.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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

// accept4(2) without the peer's address, which a UNIX socket has none of. The connection blocks, as libfcgi needs it.
static inline int accept_connection(int listening) {
    return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}
