/*
 * draw_words.c - a task and its options in a few words, for people.
 *
 * Strings are shown as they were written: what ${} stands for, a token from the
 * environment maybe, is not known here and never shown.
 */
#include "base/mem.h"
#include "core/names.h"
#include "net/url.h"
#include "spec/draw.h"

enum { ITEMS_SHOWN = 5 };

void words_count(struct text *words, uint64_t count, const char *what) {
    text_format(words, "%llu %s%s", (unsigned long long)count, what, count == 1 ? "" : "s");
}

/* ---- commands ---------------------------------------------------------- */

static void add_argument(struct text *words, const char *argument) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,${}";
    bool is_plain = *argument && !argument[strspn(argument, plain)];
    if (is_plain) {
        text_add(words, argument);
        return;
    }
    text_add_char(words, '\'');
    for (const char *c = argument; *c; c++) {
        if (*c == '\'')
            text_add(words, "'\\''");
        else
            text_add_char(words, *c);
    }
    text_add_char(words, '\'');
}

static void add_argv(struct text *words, const struct spec_strings *argv) {
    for (uint32_t i = 0; i < argv->count; i++) {
        if (i)
            text_add_char(words, ' ');
        add_argument(words, argv->items[i].text);
    }
}

/* The first line that says something, without the blanks around it. */
static const char *telling_line(const char *script, size_t *ret_length) {
    while (*script) {
        script += strspn(script, " \t\r\n");
        size_t length = strcspn(script, "\n");
        if (*script != '#' && length) {
            *ret_length = length;
            while (strchr(" \t\r", script[*ret_length - 1]))
                --*ret_length;
            return script;
        }
        script += length;
    }
    return NULL;
}

static void add_script(struct text *words, const char *script) {
    size_t length = 0, ignored;
    const char *line = telling_line(script, &length);
    if (!line)
        return;
    text_add_n(words, line, length);
    if (telling_line(line + length, &ignored))
        text_add(words, " ...");
}

static void add_command(struct text *words, const struct spec_command *command) {
    if (command->script.text)
        add_script(words, command->script.text);
    else
        add_argv(words, &command->argv);
}

/* ---- downloads --------------------------------------------------------- */

/* Without user, password and query, whatever is wrong with it. */
static void add_url(struct text *words, const char *url) {
    char *plain = url_redacted(url);
    if (plain) {
        text_add(words, plain);
        mem_free(plain);
        return;
    }
    /* Not a URL yet, for there is ${} in it. */
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t length = strcspn(host, "/?#");
    for (size_t i = length; i > 0; i--) {
        if (host[i - 1] == '@') {
            text_add_n(words, url, (size_t)(host - url));
            url = host + i;
            break;
        }
    }
    text_add_n(words, url, strcspn(url, "?#"));
}

static void add_get(struct text *words, const struct spec_get *get) {
    add_url(words, get->url.text ? get->url.text : "");
    if (get->mirrors.count) {
        text_add(words, " or ");
        words_count(words, get->mirrors.count, "mirror");
    }
    if (get->to.text)
        text_format(words, " -> %s", get->to.text);
}

static void add_release(struct text *words, const struct spec_release *release) {
    add_url(words, release->repository.text ? release->repository.text : "");
    if (release->all)
        text_add(words, ", all releases");
    else if (release->tag.text)
        text_format(words, " %s", release->tag.text);
    else
        text_add(words, release->prerelease ? ", the newest" : ", the latest");
    for (uint32_t i = 0; i < release->assets.count; i++)
        text_format(words, "%s %s", i ? "," : ":", release->assets.items[i].text);
    for (uint32_t i = 0; i < release->exclude.count; i++)
        text_format(words, "%s %s", i ? "," : " without", release->exclude.items[i].text);
}

/* ---- groups ------------------------------------------------------------ */

static void add_each(struct text *words, const struct spec_each *each) {
    uint64_t count;
    if (!spec_count_items(each, &count)) {
        text_format(words, "line of %s", each->lines->name);
        return;
    }
    words_count(words, count, "item");
    if (each->is_range) {
        text_format(words, ", %lld to %lld", (long long)each->from, (long long)each->to);
        if (each->step != 1 && each->step != 0)
            text_format(words, " by %lld", (long long)each->step);
        return;
    }
    for (uint32_t i = 0; i < each->items.count && i < ITEMS_SHOWN; i++) {
        text_add(words, i ? ", " : ": ");
        add_argument(words, each->items.items[i].text);
    }
    if (count > ITEMS_SHOWN)
        text_add(words, ", ...");
}

static void add_group(const struct ajob_spec *spec, const struct spec_task *group,
                      struct text *words) {
    uint64_t count = 0;
    for (const struct spec_task *it = draw_first(spec, group); it; it = draw_after(spec, it))
        count++;
    words_count(words, count, "task");
}

void words_what(const struct ajob_spec *spec, const struct spec_task *task, struct text *words) {
    text_add(words, spec_kind_name((enum spec_kind)task->kind));
    if (task->kind != SPEC_JOIN)
        text_add(words, ": ");
    words_work(spec, task, words);
}

void words_work(const struct ajob_spec *spec, const struct spec_task *task, struct text *words) {
    char duration[32];
    switch ((enum spec_kind)task->kind) {
    case SPEC_JOIN:
        break;
    case SPEC_EXEC:
    case SPEC_SH:
    case SPEC_SERVICE:
        add_command(words, task->command);
        break;
    case SPEC_GET:
        add_get(words, task->get);
        break;
    case SPEC_RELEASE:
        add_release(words, task->release);
        break;
    case SPEC_SLEEP:
        text_add(words, ajob_format_duration(duration, task->sleep_ms));
        break;
    case SPEC_GROUP:
        add_group(spec, task, words);
        break;
    case SPEC_EACH:
        add_each(words, task->each);
        break;
    }
}

/* ---- options ----------------------------------------------------------- */

void words_ready(const struct spec_command *command, struct text *words) {
    text_format(words, "%s ", name_of_readiness(command->ready));
    if (command->ready == AJOB_READY_FD)
        text_format(words, "%d", command->ready_fd);
    else if (command->ready == AJOB_READY_HTTP)
        add_url(words, command->ready_text.text ? command->ready_text.text : "");
    else if (command->ready == AJOB_READY_EXEC)
        add_argv(words, &command->ready_argv);
    else
        text_add(words, command->ready_text.text ? command->ready_text.text : "");
}

static void add_more(struct text *words, const struct spec_task *task) {
    const struct spec_more *more = task->more;
    char duration[32];
    if (more->when != AJOB_WHEN_NEEDS_SUCCEEDED)
        text_add(words, more->when == AJOB_WHEN_ALWAYS ? ", when always" : ", when failure");
    if (more->policy != AJOB_ALL)
        text_format(words, ", policy %s", ajob_policy_name(more->policy));
    if (more->limit)
        text_format(words, ", limit %u", more->limit);
    if (more->has_timeout)
        text_format(words, ", timeout %s", ajob_format_duration(duration, more->timeout_ms));
    if (more->has_attempt_timeout)
        text_format(words, ", attempt timeout %s",
                    ajob_format_duration(duration, more->attempt_timeout_ms));
    if (more->has_retry)
        text_format(words, ", retry %u", more->retry.max);
    for (uint32_t i = 0; i < more->pool_count; i++) {
        text_format(words, ", pool %s", more->pools[i].pool->name);
        if (more->pools[i].count != 1)
            text_format(words, " (%u)", more->pools[i].count);
    }
    if (more->is_shielded)
        text_add(words, ", shield");
    if (more->allow_failure)
        text_add(words, ", may fail");
    if (more->dir.text)
        text_format(words, ", dir %s", more->dir.text);
}

void words_options(const struct spec_task *task, struct text *words) {
    struct text list = {.max = words->max};
    bool is_command = spec_is_command(task);
    if (task->more)
        add_more(&list, task);
    if (is_command && task->command->stdin_task)
        text_format(&list, ", stdin from %s", task->command->stdin_task->name);
    else if (is_command && task->command->stdin_path.text)
        text_format(&list, ", stdin %s", task->command->stdin_path.text);
    if (task->kind == SPEC_SERVICE && task->command->ready) {
        text_add(&list, ", ready by ");
        words_ready(task->command, &list);
    }
    if (list.length)
        text_add(words, text_string(&list) + 2); /* without the first comma */
    words->failed |= list.failed;
    text_done(&list);
}
