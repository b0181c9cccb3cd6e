/*
 * each_input.h - the items of ajob each: from standard input, a file or the command line,
 * one by one or several for one command.
 *
 * Nothing is read ahead but what the reader's buffer holds. What an argument cannot be
 * (too long, a NUL in it) comes as a batch of its own with the reason why it fails.
 */
#ifndef CMD_EACH_INPUT_H
#define CMD_EACH_INPUT_H

#include "cli.h"
#include "each_template.h"

/* Filled by the table below. */
struct each_input_options {
    const char *arg_file, *delimiter, *columns;
    struct amount max_args, max_chars, count;
    bool is_null_delimited;
};

extern const struct cli_option each_input_rows[];

/* What one command is for. The strings are valid until the next call. */
struct each_batch {
    struct template_values values;
    const char *text; /* the item; or the items, with a newline between them, or where one
                       * has a newline in it with a NUL behind each */
    size_t length;
    const char *fault; /* why it cannot be put into a command, or NULL */
    const char *key;   /* of the task that had failed with it, in a record; or NULL */
};

struct each_input {
    const struct command *command;
    const struct each_input_options *options;
    ajob_loop *loop;
    const struct template *template; /* for how long a command gets; or NULL */
    ajob_record *record;             /* instead of a descriptor: what has failed in it; or NULL */
    const char *const *operands;     /* instead of a descriptor, or NULL */
    size_t operand_count, operand_next;
    int fd;
    ajob_items *items;
    char delimiter, column;
    size_t max_args, max_chars; /* of one command */
    size_t max_bytes;           /* with what the system needs besides */
    size_t chars, bytes;        /* the same of the command that is being filled */
    struct arguments filling, columns;
    struct arguments text;  /* of the batch, joined */
    struct arguments spare; /* an item that comes into the next command */
    bool has_spare, is_handed_out, is_over;
    struct each_batch batch;
};

/* operands, if not NULL, are the items. STATUS_OK, or another status after a message. To
 * be closed in any case. */
int each_input_open(struct each_input *input, const struct command *command,
                    const struct each_input_options *options, const char *const *operands,
                    size_t operand_count);

/* The items are those that have failed in this record, each command for those that it
 * was for. */
void each_input_retry(struct each_input *input, ajob_record *record);

/* Opens what is to be read, on this loop, which closes it. ready comes when there may be
 * more after AJOB_ITEM_NONE_YET. STATUS_OK, or another status after a message. */
int each_input_start(struct each_input *input, ajob_loop *loop, void (*ready)(void *data),
                     void *data);

/* The next batch: AJOB_ITEM_FOUND; AJOB_ITEM_NONE_YET; AJOB_ITEM_END; or
 * AJOB_ITEM_UNREADABLE, with ajob_error(). The batch's number is the caller's. */
enum ajob_item_state each_input_next(struct each_input *input, struct each_batch **batch);

/* Once it is started: how many commands there will be; 0: that is not known. */
uint64_t each_input_count(struct each_input *input);

/* What the input is called in messages. */
const char *each_input_name(const struct each_input *input);

void each_input_close(struct each_input *input);

#endif
