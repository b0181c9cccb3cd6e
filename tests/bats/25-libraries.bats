# libcurl and libcrypto are loaded when they are used, and not before.

load ../helpers

setup() {
    common_setup
    # A build with LAZY=no does not start without them: nothing here is about it.
    ! ldd "$AJOB" | grep -q libcurl || skip "libcurl is linked"
}
teardown() { common_teardown; }

# without LIBRARY: the system finds this instead, which is none
without() {
    mkdir -p instead
    echo "no library" >"instead/$(soname_of "$1")"
    export LD_LIBRARY_PATH=$WORK/instead
}

soname_of() { # LIBRARY, as a program linked to it has it
    local libs
    read -ra libs < <(pkg-config --libs "$1")
    echo 'int main(void) {return 0;}' | cc -x c - -o probe -Wl,--no-as-needed "${libs[@]}"
    objdump -p probe | awk -v name="$1" '$1 == "NEEDED" && index($2, name) {print $2}'
}

@test "what downloads nothing runs without libcurl and libcrypto" {
    without libcurl
    without libcrypto
    run_ajob help
    assert_success
    run_ajob completion bash
    assert_success
}

@test "a libcurl that cannot be loaded is one line, and nothing is started" {
    local name
    name=$(soname_of libcurl)
    without libcurl
    run_ajob get http://127.0.0.1:9/a http://127.0.0.1:9/b
    assert_failure 2
    assert_stderr \
        "ajob: get: http://127.0.0.1:9/a: $name cannot be loaded: $WORK/instead/$name: file too short: install libcurl"
    run_ajob get http://127.0.0.1:9?odd
    assert_failure 2
    assert_stderr --partial ": $name cannot be loaded"
    run_ajob download o/r
    assert_failure 2
    assert_stderr --partial ": $name cannot be loaded"
}

@test "a libcrypto that cannot be loaded is one line, too" {
    without libcrypto
    run_ajob get http://127.0.0.1:9/a
    assert_failure 2
    assert_equal "$(wc -l <"$AJOB_ERR")" 1
    assert_stderr --partial "$(soname_of libcrypto)"
}

@test "a libcurl that lacks a function is not used" {
    without libcurl
    echo 'void curl_easy_init(void) {}' | cc -shared -fPIC -x c -o "instead/$(soname_of libcurl)" -
    run_ajob get http://127.0.0.1:9/a
    assert_failure 2
    assert_stderr --partial "undefined symbol: curl_"
}

@test "the version shows what is there, and what is not" {
    run "$AJOB" --version
    assert_output --regexp 'libcurl [0-9]+\.[0-9.]+ \(.*OpenSSL 3'
    without libcurl
    run "$AJOB" --version
    assert_success
    assert_output --regexp 'no libcurl, libuv .*OpenSSL 3'
}
