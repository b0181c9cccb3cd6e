/* fuzz_http_date.c - a date in the form of today means what strftime(3) writes for it. */
#include <locale.h>
#include <time.h>

#include "fuzz.h"
#include "net/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *date = fuzz_string(data, size), again[64];
    int64_t at = http_date(date);
    HOLDS(at >= -1);
    time_t time = (time_t)at;
    struct tm utc;
    /* Whatever its form: written out in the form of today it is the same. */
    if (at >= 0 && at < INT64_C(253402300800)) {
        HOLDS(gmtime_r(&time, &utc));
        HOLDS(strftime(again, sizeof again, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 29);
        HOLDS(http_date(again) == at);
        /* And in the form of today all but the day of the week and a leap second counts. */
        bool is_of_today = strlen(date) == 29 && date[3] == ',' && date[4] == ' ' &&
                           date[7] == ' ' && date[11] == ' ' && date[16] == ' ' &&
                           date[19] == ':' && date[22] == ':' && !strcmp(date + 25, " GMT") &&
                           strncmp(date + 23, "60", 2) != 0;
        HOLDS(!is_of_today || !strncasecmp(date + 3, again + 3, 22));
    }
    mem_free(date);
    return 0;
}
