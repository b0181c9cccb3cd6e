/* fuzz_spec.c - specs: every mistake has a place and words, what has none can be drawn. */
#include <cjson/cJSON.h>

#include "ajob.h"
#include "fuzz.h"
#include "spec/json.h"
#include "spec/value.h"

static void on_mistake(const ajob_mistake *mistake, void *data) {
    size_t *errors = data;
    *errors += mistake->severity == AJOB_MISTAKE_ERROR;
    HOLDS(mistake->text && *mistake->text && mistake->line && mistake->column && mistake->length);
    HOLDS(!mistake->source || !strchr(mistake->source, '\n'));
}

static void on_line(const char *text, void *data) {
    size_t *lines = data;
    *lines += 1;
    HOLDS(*text && text[strlen(text) - 1] == '\n');
}

static void draw(ajob_spec *spec) {
#define AJOB_X(name, text) AJOB_DRAW_##name,
    static const enum ajob_drawing drawings[] = {AJOB_DRAWINGS(AJOB_X)};
#undef AJOB_X
    for (size_t i = 0; i < sizeof drawings / sizeof drawings[0]; i++) {
        size_t lines = 0;
        HOLDS(ajob_spec_draw(spec, drawings[i], on_line, &lines) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json json;
    struct json_fault fault;
    size_t told = 0;
    ajob_spec *spec = ajob_spec_new();
    HOLDS(spec && ajob_spec_parse(spec, "fuzz.json", (const char *)data, size) == 0);
    size_t errors = ajob_spec_check(spec, on_mistake, &told);
    HOLDS(told == errors);
    if (!errors)
        draw(spec);
    char *exact = mem_copy_n((const char *)data, size);
    HOLDS(exact);
    if (json_scan(&json, exact, size, &fault) == 0) {
        cJSON *value = json_value(&json, 0); /* what was found right, cJSON takes */
        HOLDS(value);
        cJSON_Delete(value);
    } else {
        HOLDS(errors == 1 && fault.at <= size && fault.text[0]);
    }
    json_done(&json);
    mem_free(exact);
    ajob_spec_free(spec);
    return 0;
}
