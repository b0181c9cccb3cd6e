/* version.c - which ajob this is, and what it stands on at run time. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <uv.h>

#include "ajob.h"

const char *ajob_version(void) {
    return AJOB_VERSION;
}

const char *ajob_version_details(void) {
    static char line[256];
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    int used = !curl ? snprintf(line, sizeof line, "no libcurl")
                     : snprintf(line, sizeof line, "libcurl %s (%s%s)", curl->version,
                                curl->ssl_version ? curl->ssl_version : "without TLS",
                                curl->features & CURL_VERSION_HTTP2 ? ", HTTP/2" : "");
    snprintf(line + used, sizeof line - (size_t)used, ", libuv %s, cJSON %s, %s",
             uv_version_string(), cJSON_Version(), OpenSSL_version(OPENSSL_VERSION));
    return line;
}
