/*
 * download.h - a download for other rooms of net: what ajob.h cannot say.
 */
#ifndef AJOB_NET_DOWNLOAD_H
#define AJOB_NET_DOWNLOAD_H

#include "ajob.h"

struct download_extra {
    const char *subdir;         /* in options.dir: one neutral name; NULL: none */
    const char *const *headers; /* static, NULL-terminated */
    bool is_release;            /* that it has no digest is worth saying */
};

/* As ajob_download(). */
ajob_task *download_new(ajob_loop *loop, const ajob_download_options *options,
                        const struct download_extra *extra);

#endif
