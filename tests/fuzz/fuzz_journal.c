/* fuzz_journal.c - events of an earlier run, read back. */
#include "ajob.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ajob_spec *spec = ajob_spec_new();
    HOLDS(spec);
    int status = ajob_spec_resume(spec, (const char *)data, size);
    HOLDS(status == 0 || status == AJOB_EINVAL);
    HOLDS(status == 0 || (*ajob_spec_error(spec) && fuzz_is_printable(ajob_spec_error(spec))));
    ajob_spec_free(spec);
    return 0;
}
