#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

// The digest is named by a parameter list, which the compiler cannot spell. 1, or 0 on failure.
static inline int archway_hmac_sha256_init(EVP_MAC_CTX *context, const unsigned char *key, size_t length) {
    char name[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, length, parameters);
}
