/*
 * pattern.c - what a regular expression would cost, before it is compiled. See pattern.h.
 *
 * Counted is how many single characters there are once every repetition is written
 * out, as implementations do. What is no regular expression is counted somehow.
 */
#include "base/pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHARACTERS = 5000, DEEPEST = 64 };

struct count {
    double whole[DEEPEST + 1]; /* of each open group, the expression itself being the first */
    double last;               /* what a repetition repeats */
    int depth;
};

static void add(struct count *count, double characters) {
    count->last = characters;
    count->whole[count->depth] += characters;
}

static void repeat(struct count *count, double times) {
    if (times <= 1)
        return;
    count->whole[count->depth] += count->last * (times - 1);
    count->last *= times;
}

/* Behind a bracket expression, of which at is the '['. */
static const char *after_bracket(const char *at) {
    at++;
    at += *at == '^';
    at += *at == ']';
    while (*at && *at != ']') {
        bool is_class = *at == '[' && at[1] && strchr(":.=", at[1]);
        const char end[] = {at[1], ']', '\0'};
        const char *close = is_class ? strstr(at + 2, end) : NULL;
        at = close ? close + 2 : at + 1;
    }
    return *at ? at + 1 : at;
}

/* Behind "{2,5}", of which at is the '{'. "{2,}" is two and one to go on with. */
static const char *after_interval(struct count *count, const char *at) {
    char *end;
    unsigned long least = strtoul(at + 1, &end, 10), most = 0;
    if (*end == ',')
        most = end[1] == '}' ? least + 1 : strtoul(end + 1, NULL, 10);
    repeat(count, (double)(most > least ? most : least));
    const char *close = strchr(at, '}');
    return close ? close + 1 : at + 1;
}

const char *pattern_excess(const char *expression) {
    struct count count = {0};
    for (const char *at = expression; *at;) {
        if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
            return "a back reference is not possible";
        if (*at == '(' && count.depth == DEEPEST)
            return "its groups are nested deeper than 64";
        if (*at == '[') {
            at = after_bracket(at);
            add(&count, 1);
        } else if (*at == '{') {
            at = after_interval(&count, at);
        } else if (*at == '(') {
            count.whole[++count.depth] = 0;
            at++;
        } else if (*at == ')' && count.depth) {
            count.depth--;
            add(&count, count.whole[count.depth + 1] + 1);
            at++;
        } else if (*at == '+') {
            repeat(&count, 2);
            at++;
        } else {
            if (!strchr("*?|", *at))
                add(&count, 1);
            at += *at == '\\' && at[1] ? 2 : 1;
        }
        if (count.whole[count.depth] > MOST_CHARACTERS)
            return "its repetitions make too much of it";
    }
    return NULL;
}
