# What `make install` puts where, that an outside program can be built from it, and
# that `make uninstall` takes it all away.

load ../helpers

PREFIX=/opt/ajob

# Once for the file: built as people get it, whatever AJOB's own build is.
setup_file() {
    export STAGE=$BATS_FILE_TMPDIR/stage
    make_project install DESTDIR="$STAGE"
    export LD_LIBRARY_PATH=$STAGE$PREFIX/lib
}

# pkg-config, of what is installed there
ajob_says() {
    PKG_CONFIG_PATH=$STAGE$PREFIX/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$STAGE pkg-config "$@" ajob
}

setup() { common_setup; }
teardown() { common_teardown; }

make_project() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD make -s -C "$PROJECT_DIR" PROFILE=release \
        PREFIX="$PREFIX" "$@" 3>&-
}

installed() { (cd "$1" && find . ! -type d | sed 's:^\./::' | LC_ALL=C sort); }

# What every program sees: names with an address, but for the linker's own marks.
global_names() { nm -g --defined-only -P "$@" | awk 'NF > 1 && $1 !~ /^_/ && $2 != "A" {print $1}'; }

build_outside() { # OUTPUT FLAG...
    # Flags are words.
    # shellcheck disable=SC2046
    cc -std=gnu11 -Wall -Wextra -Werror -o "$1" "$TESTS_DIR/outside/outside.c" \
        $(ajob_says --cflags) $(pkg-config --cflags libuv) "${@:2}"
}

check_outside() { # PROGRAM
    start_server
    run "$1" "$MAIN/f/a?size=300K&seed=5" got
    assert_success
    assert_output "\
1 succeeded
2 succeeded
status 0, closed, the loop was shared"
    assert_body got 5 300K
    run "$1" "$MAIN/f/a?status=404" none
    assert_failure 1
    refute_exists none
}

@test "install puts exactly this under DESTDIR and PREFIX" {
    assert_equal "$(installed "$STAGE$PREFIX")" "$(LC_ALL=C sort <<END
bin/ajob
include/ajob.h
lib/libajob.a
lib/libajob.so
lib/libajob.so.0
lib/pkgconfig/ajob.pc
share/ajob/ajob.schema.json
$(cd "$PROJECT_DIR" && printf '%s\n' man/*.[1-9] | sed 's:^man/\(.*\)\.\([1-9]\)$:share/man/man\2/\1.\2:')
share/bash-completion/completions/ajob
share/fish/vendor_completions.d/ajob.fish
share/zsh/site-functions/_ajob
END
)"
    assert_equal "$(find "$STAGE" -type f -perm /022)" ""
    assert_equal "$(installed "$STAGE" | grep -cv '^opt/ajob/')" 0
}

@test "the installed program runs, and needs no library of ours" {
    run "$STAGE$PREFIX/bin/ajob" --version
    assert_success
    assert_output --partial "ajob $(ajob_says --modversion)"
    run ldd "$STAGE$PREFIX/bin/ajob"
    refute_output --partial libajob
}

@test "directories can be named one by one" {
    make_project install DESTDIR="$WORK/there" BINDIR=/bin LIBDIR=/lib64 INCLUDEDIR=/inc MANDIR=/man
    assert_exists there/bin/ajob
    assert_exists there/lib64/libajob.so.0
    assert_exists there/inc/ajob.h
    assert_exists there/man/man1/ajob.1
    run env PKG_CONFIG_PATH="$WORK/there/lib64/pkgconfig" \
        pkg-config --variable=libdir ajob
    assert_output /lib64
}

@test "the libraries give away public names only" {
    local name
    global_names -D "$STAGE$PREFIX/lib/libajob.so" >shared
    global_names "$STAGE$PREFIX/lib/libajob.a" >static
    assert_equal "$(grep -v '^ajob_' shared static)" ""
    # Each function that the header declares is there, and no other.
    sed -n 's/^AJOB_API .*[ *]\(ajob_[a-z_]*\)(.*/\1/p' "$STAGE$PREFIX/include/ajob.h" | sort >declared
    diff <(sort shared) declared
    diff <(sort static) declared
}

@test "the shared library has its version in its name" {
    run objdump -p "$STAGE$PREFIX/lib/libajob.so"
    assert_output --regexp 'SONAME +libajob\.so\.0'
    assert_equal "$(readlink "$STAGE$PREFIX/lib/libajob.so")" libajob.so.0
}

@test "the header compiles alone, as C and as C++" {
    local how
    for how in "cc -x c -std=c99" "cc -x c -std=c11" "c++ -x c++ -std=c++11"; do
        # shellcheck disable=SC2046,SC2086
        echo '#include <ajob.h>' |
            $how -Wall -Wextra -Wpedantic -Werror -fsyntax-only $(ajob_says --cflags) -
    done
}

@test "an outside program on its own loop, with the shared library" {
    # shellcheck disable=SC2046
    build_outside outside $(ajob_says --libs) $(pkg-config --libs libuv)
    run ldd outside
    assert_output --partial libajob.so.0
    check_outside ./outside
}

@test "an outside program on its own loop, with the static library" {
    # shellcheck disable=SC2046
    build_outside outside -Wl,-Bstatic $(ajob_says --libs) -Wl,-Bdynamic \
        $(ajob_says --libs --static)
    run ldd outside
    refute_output --partial libajob
    check_outside ./outside
}

@test "with LAZY=no libcurl and libcrypto are linked, and pkg-config says so" {
    make_project install LAZY=no BUILD="$WORK/build" DESTDIR="$WORK/there"
    run objdump -p "there$PREFIX/bin/ajob"
    assert_output --regexp 'NEEDED +libcurl'
    assert_output --regexp 'NEEDED +libcrypto'
    assert_equal "$(nm "there$PREFIX/bin/ajob" | grep -c lazy_)" 0
    STAGE=$WORK/there run ajob_says --libs --static
    assert_output --partial -lcurl
}

@test "uninstall leaves nothing, and takes nothing else" {
    cp -a "$STAGE" copy
    mkdir -p "copy$PREFIX/share/zsh/site-functions"
    touch "copy$PREFIX/share/zsh/site-functions/_other" "copy$PREFIX/lib/libajob2.so"
    make_project uninstall DESTDIR="$WORK/copy"
    assert_equal "$(installed "copy$PREFIX")" "lib/libajob2.so
share/zsh/site-functions/_other"
    refute_exists "copy$PREFIX/share/fish"
    make_project uninstall DESTDIR="$WORK/copy"
}

@test "the program in README.md compiles" {
    sed -n '/^```c$/,/^```$/{/^```/!p}' "$PROJECT_DIR/README.md" >example.c
    # shellcheck disable=SC2046
    cc -std=c11 -Wall -Wextra -Werror -o example example.c $(ajob_says --cflags --libs)
}
