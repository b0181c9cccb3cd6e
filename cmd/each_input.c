/* each_input.c - the items of ajob each. See each_input.h. */
#include "each_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTER = sizeof(char *) }; /* what the system counts for each argument, too */
enum { MOST_ARGS = 1000000, COUNTED_MOST = 16 << 20 };

static const char has_nul[] = "the item has a NUL byte in it, which no argument can have";
static const char too_long[] = "the item is longer than 128 KiB, which no argument can be";
static const char no_room[] = "the item is longer than --max-chars allows";

#define AT(field) .at = offsetof(struct each_input_options, field)

const struct cli_option each_input_rows[] = {
    {
        .name = "arg-file",
        .letter = 'a',
        .argument = "FILE",
        .type = CLI_FILE,
        AT(arg_file),
        .help = "Read the items from FILE instead of standard input",
    },
    {
        .name = "null",
        .letter = '0',
        .type = CLI_FLAG,
        AT(is_null_delimited),
        .help = "Items end with a NUL byte, not with a newline",
        .more = "That is what find -print0 prints.",
    },
    {
        .name = "delimiter",
        .argument = "C",
        .type = CLI_TEXT,
        AT(delimiter),
        .help = "Items end with the character C, not with a newline",
        .more = "C is one byte, or written as \\n, \\t, \\0 or \\x1e.",
    },
    {
        .name = "columns",
        .argument = "C",
        .type = CLI_TEXT,
        AT(columns),
        .help = "Split each item at the character C into {1}, {2} and so on",
        .more = "Without placeholders in CMD each column is an argument.",
    },
    {
        .name = "max-args",
        .letter = 'N',
        .argument = "N",
        .type = CLI_NUMBER,
        AT(max_args),
        .min = 1,
        .max = MOST_ARGS,
        .help = "Put up to N items into one command (default: 1)",
        .more = "It has fewer where the system, or --max-chars, allows no more.",
    },
    {
        .name = "max-chars",
        .argument = "SIZE",
        .type = CLI_SIZE,
        AT(max_chars),
        .help = "Put as many items into one command as SIZE bytes have room for",
        .more = "What counts is the command with its arguments, one byte more for each. "
                "With --max-args, both hold.",
    },
    {
        .name = "count",
        .argument = "N",
        .type = CLI_NUMBER,
        AT(count),
        .min = 1,
        .max = UINT32_MAX,
        .help = "There are N items: show the time that is left",
        .more = "Items of a file of up to 16M, or on the command line, are counted without "
                "being asked.",
    },
    {0},
};

/* ---- opening ------------------------------------------------------------------ */

/* One byte, or how xargs(1) and printf(1) write it: \n, \x1e, \036. */
static int parse_character(const struct command *command, const char *option, const char *text,
                           char *ret_character) {
    static const char names[] = "a\ab\bf\fn\nr\rt\tv\v\\\\";
    static const char octal[] = "01234567", hex[] = "0123456789abcdefABCDEF";
    bool is_hex = text[0] == '\\' && text[1] == 'x';
    size_t digits = strspn(text + 1 + is_hex, is_hex ? hex : octal);
    bool is_number =
        text[0] == '\\' && digits && digits <= (is_hex ? 2 : 3) && !text[1 + is_hex + digits];
    unsigned long number = is_number ? strtoul(text + 1 + is_hex, NULL, is_hex ? 16 : 8) : 256;
    *ret_character = number < 256 ? (char)number : *text;
    if (number < 256 || !text[1])
        return STATUS_OK;
    for (size_t i = 0; i + 1 < sizeof names; i += 2) {
        if (text[0] == '\\' && text[1] == names[i] && !text[2]) {
            *ret_character = names[i + 1];
            return STATUS_OK;
        }
    }
    return cli_fail(command, STATUS_USAGE,
                    "%s: %s: not one character: give one byte, or as \\n, \\t, \\0 or \\x1e",
                    option, text);
}

static int check(struct each_input *input) {
    const struct each_input_options *options = input->options;
    const struct command *command = input->command;
    int status = STATUS_OK;
    bool has_batches = options->max_args.given || options->max_chars.given;
    input->delimiter = options->is_null_delimited ? '\0' : '\n';
    if (input->operands && options->arg_file)
        return cli_fail(command, STATUS_USAGE, "--arg-file: there are items after ::: already");
    if (options->is_null_delimited && options->delimiter)
        return cli_fail(command, STATUS_USAGE, "--delimiter: --null is one already");
    if (options->columns && has_batches)
        return cli_fail(command, STATUS_USAGE,
                        "--columns: a command with columns is for one item: leave out --max-args "
                        "and --max-chars");
    if (options->delimiter)
        status = parse_character(command, "--delimiter", options->delimiter, &input->delimiter);
    if (status == STATUS_OK && options->columns)
        status = parse_character(command, "--columns", options->columns, &input->column);
    return status;
}

/* What execve(2) takes, as xargs(1) computes it: not the whole of it. */
static size_t system_limit(void) {
    enum { LEAST = 4096, ROOM = 4096 };
    extern char **environ;
    long most = sysconf(_SC_ARG_MAX);
    size_t limit = most > 0 ? (size_t)most : 128 * 1024, used = ROOM;
    for (char **variable = environ; *variable; variable++)
        used += strlen(*variable) + 1 + POINTER;
    return limit > used + LEAST ? limit - used : LEAST;
}

static void set_limits(struct each_input *input) {
    const struct each_input_options *options = input->options;
    input->max_args = options->max_args.given ? (size_t)options->max_args.value : 1;
    if (options->max_chars.given && !options->max_args.given)
        input->max_args = MOST_ARGS;
    input->max_chars = options->max_chars.given ? (size_t)options->max_chars.value : SIZE_MAX;
    input->max_bytes = system_limit();
}

int each_input_open(struct each_input *input, const struct command *command,
                    const struct each_input_options *options, const char *const *operands,
                    size_t operand_count) {
    *input = (struct each_input){
        .command = command,
        .options = options,
        .operands = operands,
        .operand_count = operand_count,
    };
    int status = check(input);
    if (status != STATUS_OK)
        return status;
    set_limits(input);
    return STATUS_OK;
}

void each_input_retry(struct each_input *input, ajob_record *record) {
    input->record = record;
}

int each_input_start(struct each_input *input, ajob_loop *loop, void (*ready)(void *data),
                     void *data) {
    const char *file = input->options->arg_file;
    input->loop = loop;
    if (input->operands || input->record)
        return STATUS_OK;
    bool has_file = file && strcmp(file, "-") != 0;
    input->fd = has_file ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
    if (input->fd < 0)
        return cli_fail(input->command, STATUS_USAGE, "--arg-file: %s: cannot be read: %s", file,
                        strerror(errno));
    input->items = ajob_items_open(loop, &(ajob_items_options){
                                             .fd = input->fd,
                                             .owns_fd = has_file,
                                             .delimiter = input->delimiter,
                                             .has_delimiter = true,
                                             .ready = ready,
                                             .data = data,
                                         });
    if (input->items && isatty(input->fd) && isatty(STDERR_FILENO))
        cli_warn(input->command, "items are read from the terminal: Ctrl-D ends them");
    if (input->items)
        return STATUS_OK;
    if (has_file)
        close(input->fd);
    return cli_fail(input->command, STATUS_FAULT, "out of memory");
}

void each_input_close(struct each_input *input) {
    arguments_done(&input->filling);
    arguments_done(&input->columns);
    arguments_done(&input->text);
    arguments_done(&input->spare);
}

const char *each_input_name(const struct each_input *input) {
    return input->fd == STDIN_FILENO ? "standard input" : input->options->arg_file;
}

/* ---- counting ------------------------------------------------------------------- */

/* From where the descriptor stands, which stays there. 0: it is no file, or a large one. */
static uint64_t count_ahead(const struct each_input *input) {
    char buffer[64 * 1024], last = input->delimiter;
    off_t begin = lseek(input->fd, 0, SEEK_CUR), at = begin;
    off_t end = begin < 0 ? -1 : lseek(input->fd, 0, SEEK_END);
    uint64_t count = 0;
    ssize_t got = 0;
    if (begin < 0 || lseek(input->fd, begin, SEEK_SET) < 0 || end - begin > COUNTED_MOST)
        return 0;
    while (at < end && (got = pread(input->fd, buffer, sizeof buffer, at)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            count += buffer[i] == input->delimiter;
        last = buffer[got - 1];
        at += got;
    }
    return got < 0 ? 0 : count + (last != input->delimiter);
}

uint64_t each_input_count(struct each_input *input) {
    const struct each_input_options *options = input->options;
    uint64_t count = options->count.value;
    if (input->record)
        return ajob_record_count_failed(input->record);
    if (options->max_chars.given)
        return 0;
    if (!count)
        count = input->operands ? input->operand_count : count_ahead(input);
    return (count + input->max_args - 1) / input->max_args;
}

/* ---- items ----------------------------------------------------------------------- */

static enum ajob_item_state next_item(struct each_input *input, const char **item, size_t *length) {
    if (!input->operands)
        return ajob_items_next(input->items, item, length);
    if (input->operand_next == input->operand_count)
        return AJOB_ITEM_END;
    *item = input->operands[input->operand_next++];
    *length = strlen(*item);
    return AJOB_ITEM_FOUND;
}

static enum ajob_item_state has_no_memory(struct each_input *input) {
    input->batch = (struct each_batch){.fault = "out of memory", .text = ""};
    return AJOB_ITEM_FOUND;
}

/* Beside the command that is being filled. */
static enum ajob_item_state fail_item(struct each_input *input, const char *item, size_t length,
                                      const char *fault) {
    arguments_clear(&input->text);
    if (!arguments_add(&input->text, item, length))
        return has_no_memory(input);
    input->batch = (struct each_batch){.text = input->text.text, .length = length, .fault = fault};
    return AJOB_ITEM_FOUND;
}

static bool split_columns(struct each_input *input, const char *item, size_t length) {
    const char *after = item + length, *end;
    arguments_clear(&input->columns);
    for (bool is_last = false; !is_last; item = end + 1) {
        end = memchr(item, input->column, (size_t)(after - item));
        is_last = !end;
        if (is_last)
            end = after;
        if (!arguments_add(&input->columns, item, (size_t)(end - item)))
            return false;
    }
    return arguments_end(&input->columns);
}

/* ---- batches ---------------------------------------------------------------------- */

static void begin_batch(struct each_input *input) {
    arguments_clear(&input->filling);
    input->chars = input->bytes = input->template ? template_length(input->template) : 0;
    input->is_handed_out = false;
}

static bool add_item(struct each_input *input, const char *item, size_t length) {
    size_t growth = input->template ? template_growth(input->template, length) : 0;
    input->chars += growth;
    input->bytes += growth + POINTER * (input->template ? template_uses(input->template) : 1);
    return arguments_add(&input->filling, item, length);
}

static bool fits(const struct each_input *input, size_t length) {
    if (!input->template)
        return true;
    size_t growth = template_growth(input->template, length);
    return input->chars + growth <= input->max_chars &&
           input->bytes + growth + POINTER * template_uses(input->template) <= input->max_bytes;
}

/* All items as one text. */
static bool join(struct each_input *input) {
    const struct arguments *items = &input->filling;
    struct arguments *text = &input->text;
    size_t bytes = items->used - items->count;
    bool is_batch = input->options->max_args.given || input->options->max_chars.given;
    bool is_several = items->count > 1;
    bool has_newline = is_batch && memchr(items->text, '\n', items->used);
    arguments_clear(text);
    if (!arguments_add(text, items->text, items->used))
        return false;
    for (size_t i = 0; is_several && !has_newline && i + 1 < items->used; i++)
        if (!text->text[i])
            text->text[i] = '\n';
    input->batch.text = text->text;
    input->batch.length = has_newline ? items->used : bytes + items->count - 1;
    return true;
}

static enum ajob_item_state hand_out(struct each_input *input) {
    const struct arguments *items = &input->filling;
    input->is_handed_out = true;
    input->batch = (struct each_batch){0};
    if (!arguments_end(&input->filling) || !join(input))
        return has_no_memory(input);
    input->batch.values =
        (struct template_values){.items = input->filling.argv, .count = items->count};
    if (input->options->columns) {
        if (!split_columns(input, items->text, items->used - 1))
            return has_no_memory(input);
        input->batch.values.columns = input->columns.argv;
        input->batch.values.column_count = input->columns.count;
    }
    return AJOB_ITEM_FOUND;
}

/* An item for the command that is being filled; it may be for the next one. */
static enum ajob_item_state put(struct each_input *input, const char *item, size_t length,
                                bool *is_full) {
    bool is_limited = input->options->max_chars.given;
    if (memchr(item, '\0', length))
        return fail_item(input, item, length, has_nul);
    if (!fits(input, length) && input->filling.count) {
        arguments_clear(&input->spare);
        if (!arguments_add(&input->spare, item, length))
            return has_no_memory(input);
        input->has_spare = *is_full = true;
        return AJOB_ITEM_FOUND;
    }
    if (!fits(input, length) && is_limited)
        return fail_item(input, item, length, no_room);
    if (!add_item(input, item, length))
        return has_no_memory(input);
    *is_full = input->filling.count >= input->max_args;
    return AJOB_ITEM_NONE_YET;
}

/* As join() has made it. */
static bool add_recorded(struct each_input *input, const char *text, size_t length) {
    const struct each_input_options *options = input->options;
    bool is_batch = options->max_args.given || options->max_chars.given;
    const char *after = text + length;
    char end = is_batch && memchr(text, '\0', length) ? '\0' : '\n';
    if (length && end == '\0' && after[-1] == '\0')
        after--;
    for (const char *stop; is_batch && (stop = memchr(text, end, (size_t)(after - text)));
         text = stop + 1)
        if (!add_item(input, text, (size_t)(stop - text)))
            return false;
    return add_item(input, text, (size_t)(after - text));
}

static enum ajob_item_state next_recorded(struct each_input *input) {
    size_t length;
    const char *text = ajob_record_next_failed(input->record, &length);
    bool is_batch = input->options->max_args.given || input->options->max_chars.given;
    if (!text)
        return AJOB_ITEM_END;
    begin_batch(input);
    if (memchr(text, '\0', length) && (!is_batch || text[length - 1] != '\0'))
        return fail_item(input, text, length, has_nul);
    return add_recorded(input, text, length) ? hand_out(input) : has_no_memory(input);
}

enum ajob_item_state each_input_next(struct each_input *input, struct each_batch **batch) {
    const char *item;
    size_t length;
    bool is_full = false;
    *batch = &input->batch;
    if (input->record) {
        enum ajob_item_state state = next_recorded(input);
        if (state != AJOB_ITEM_END)
            input->batch.key = ajob_record_failed_key(input->record);
        return state;
    }
    if (input->is_handed_out || !input->filling.count)
        begin_batch(input);
    if (input->has_spare) {
        input->has_spare = false;
        length = input->spare.used - 1;
        if (!fits(input, length) && input->options->max_chars.given)
            return fail_item(input, input->spare.text, length, no_room);
        if (!add_item(input, input->spare.text, length))
            return has_no_memory(input);
        is_full = input->filling.count >= input->max_args;
    }
    while (!is_full) {
        enum ajob_item_state state =
            input->is_over ? AJOB_ITEM_END : next_item(input, &item, &length);
        if (state == AJOB_ITEM_TOO_LONG)
            return fail_item(input, item, length, too_long);
        if (state == AJOB_ITEM_END) {
            input->is_over = true;
            return input->filling.count ? hand_out(input) : AJOB_ITEM_END;
        }
        if (state != AJOB_ITEM_FOUND)
            return state;
        state = put(input, item, length, &is_full);
        if (state == AJOB_ITEM_FOUND && !is_full)
            return state;
    }
    return hand_out(input);
}
