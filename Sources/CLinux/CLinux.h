// What Glibc's Swift module lacks: epoll, eventfd, signalfd, accept4, memfd_create, pipe2, prctl, posix_spawn extensions,
// atomic access to memory that processes share.
//
// Without _GNU_SOURCE, because the other modules read the same system headers without it, and the compiler refuses a type
// that looks different in two modules. The few GNU calls are declared below.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int accept4(int listening, struct sockaddr *address, socklen_t *size, int flags);
int memfd_create(const char *name, unsigned int flags);
int pipe2(int ends[2], int flags);
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

// A listening UNIX stream socket at `path` with these permission bits. A socket that nobody listens on any more is
// removed; one that somebody does, or a file, is EADDRINUSE. Negative: failed.
static inline int listen_at_path(const char *path, mode_t mode, int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int taken = !connect(probe, (struct sockaddr *)&address, sizeof address) || errno == EAGAIN;
    close(probe);
    if (taken) {
        close(descriptor);
        errno = EADDRINUSE;
        return -1;
    }
    struct stat status;
    if (!lstat(path, &status) && S_ISSOCK(status.st_mode)) unlink(path);
    mode_t before = umask(0777 & ~mode);
    int failed = bind(descriptor, (struct sockaddr *)&address, sizeof address) || listen(descriptor, backlog);
    int code = errno;
    umask(before);
    if (failed) {
        close(descriptor);
        errno = code;
        return -1;
    }
    return descriptor;
}

// sd_notify(3): one datagram to the socket that systemd names. Without a socket nothing happens.
static inline void notify_manager(const char *path, const char *state) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path)) return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    (void)sendto(descriptor, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(descriptor);
}

// prctl(2) is variadic.
static inline int set_process_name(const char *name) {
    return prctl(PR_SET_NAME, name);
}

// A word that other processes write too.
static inline uint64_t read_shared_word(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void write_shared_word(uint64_t *word, uint64_t wanted) {
    __atomic_store_n(word, wanted, __ATOMIC_SEQ_CST);
}

// Compare-and-swap: true when the word was `expected`, and is `wanted` now.
static inline _Bool replace_shared_word(uint64_t *word, uint64_t expected, uint64_t wanted) {
    return __atomic_compare_exchange_n(word, &expected, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
