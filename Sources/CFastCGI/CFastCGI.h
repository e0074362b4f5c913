#pragma once
#include <fcgiapp.h>

// libfcgi accepts, and blocks, by itself unless a request already has a connection. Here the "connection" is a file that
// holds all records of the request but the last, so nothing can block. `listen_sock` is invalid on purpose: a request that
// libfcgi refuses must fail here instead of waiting for another one. Returns 0, or a negative number when the records are
// refused; libfcgi has closed `recorded` then.
static inline int archway_fcgi_begin(FCGX_Request *request, int recorded) {
    FCGX_InitRequest(request, -1, 0);
    request->ipcFd = recorded;
    request->keepConnection = 1;
    return FCGX_Accept_r(request);
}

// From here on the request's streams write to the web server. Only after the body was read: a read would block. The stream
// that was read, with its buffer of 8 KiB, goes.
static inline void archway_fcgi_connect(FCGX_Request *request, int connection) {
    request->ipcFd = connection;
    FCGX_FreeStream(&request->in);
}

// FCGX_PutStr for bytes, from `offset` on.
static inline int archway_fcgi_put(FCGX_Stream *stream, const unsigned char *bytes, int offset, int count) {
    return FCGX_PutStr((const char *)bytes + offset, count, stream);
}

// Ends stderr and stdout and sends END_REQUEST, as FCGX_Finish_r does, but leaves the connection open. Nonzero on failure.
static inline int archway_fcgi_end(FCGX_Request *request) {
    int failed = FCGX_FClose(request->err);
    failed |= FCGX_FClose(request->out);
    return failed | FCGX_GetError(request->out);
}

// Frees what belongs to the request. Closes nothing: the descriptor is the caller's.
static inline void archway_fcgi_free(FCGX_Request *request) {
    FCGX_Free(request, 0);
}
