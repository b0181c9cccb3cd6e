/* lazy.c - a shared library that is loaded when it is first used. See lazy.h. */
#include "base/lazy.h"

#include <dlfcn.h>

/* dlerror() begins most of what it says with the file: once is enough. */
static void say_fault(struct lazy_library *library) {
    const char *said = dlerror();
    size_t length = strlen(library->file);
    if (said && !strncmp(said, library->file, length) && !strncmp(said + length, ": ", 2))
        said += length + 2;
    snprintf(library->fault, sizeof library->fault, "%s cannot be loaded: %s: install %s",
             library->file, said ? said : "no reason given", library->what);
}

void lazy_load(struct lazy_library *library) {
    void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        say_fault(library);
        return;
    }
    for (size_t i = 0; i < library->count; i++) {
        const struct lazy_function *function = &library->functions[i];
        void *address = dlsym(handle, function->name);
        if (!address) {
            say_fault(library);
            return;
        }
        memcpy(function->at, &address, sizeof address);
    }
}
