// libcurl with a typed door for each variadic call: what the compiler cannot check there, it checks here.
#pragma once
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

typedef size_t (*archway_curl_data)(char *bytes, size_t size, size_t count, void *context);
typedef int (*archway_curl_start)(void *context, char *peer, char *own, int peer_port, int own_port);
typedef int (*archway_curl_socket)(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned);
typedef int (*archway_curl_timer)(CURLM *multi, long milliseconds, void *context);
typedef curl_socket_t (*archway_curl_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
typedef int (*archway_curl_close)(void *context, curl_socket_t socket);

static inline CURLcode archway_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode archway_easy_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode archway_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode archway_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode archway_easy_set_fields(CURL *easy, struct curl_slist *fields) {
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
}

/// `start` is called whenever a request is about to be sent. All callbacks get `context`.
static inline CURLcode archway_easy_set_receivers(
    CURL *easy, archway_curl_start start, archway_curl_data head, archway_curl_data body, void *context) {
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, start);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, context);
}

static inline CURLcode archway_easy_set_socket_makers(
    CURL *easy, archway_curl_open open, archway_curl_close close, void *context) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close);
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, context);
}

static inline long archway_easy_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

/// A socket of TCP, and the connection stands.
static inline bool archway_is_connected(curl_socket_t socket) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(socket, (struct sockaddr *)&peer, &size) == 0
        && (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
}

/// Refuses what has come and what will come: curl finds the connection closed, and takes another one.
static inline void archway_abandon(curl_socket_t socket) {
    shutdown(socket, SHUT_RDWR);
    while (recv(socket, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) > 0) {
    }
}

/// Bytes wait to be read, or the end.
static inline bool archway_has_input(curl_socket_t socket) {
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/// The socket that curl would open, which no other program inherits.
static inline curl_socket_t archway_open(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// NULL if there is none; otherwise it lives as long as the handle.
static inline const char *archway_easy_get_string(CURL *easy, CURLINFO info) {
    char *value = NULL;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline void *archway_easy_get_private(CURL *easy) {
    char *value = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
    return value;
}

static inline CURLMcode archway_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode archway_multi_set_callbacks(
    CURLM *multi, archway_curl_socket socket, archway_curl_timer timer, void *context) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    return curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}

/// The next transfer that ended, with its result; NULL when there is none.
static inline CURL *archway_multi_next_ended(CURLM *multi, CURLcode *result) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}
