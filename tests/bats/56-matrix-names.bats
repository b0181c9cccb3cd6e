# The matrix of names and of what stands where a file is to be: no name leads out of the
# directory or into another download's way, and nothing is written through what is there.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# assets NAME...: a release v1 with these assets, the k-th of k bytes with seed k; a token
# makes their URLs free of their names
assets() {
    "$PYTHON" -c 'import json, sys; print(json.dumps({"token": "t", "repos": {"o/r": {"releases": [{"tag": "v1",
        "assets": [{"name": name.encode().decode("unicode_escape"), "size": k, "seed": k} for k, name in enumerate(sys.argv[1:], 1)]}]}}}))' "$@"
}

@test "names that mean something elsewhere are files here, or are refused, and never lead out" {
    start_server "$(assets CON nul.txt COM1 'a:b' 'C:\\x' 'trailing.' 'space ' '~' '$(id)' '*' '..\\..\\up' '%2e%2e%2fup' \
        '\t' '\u00a0' '\ud7ff' 'a\u0000/../../../up' '.ssh' '.git' '...' '-' '--help' '\u2025/up' '\uff0e\uff0e/up' '\u202e' '\ufeff')"
    mkdir -p x/y
    GH_TOKEN=t run_ajob download -k -d x/y/z o/r
    assert_equal "$(find . -type f -not -path './x/y/z/v1/*')" ''
    assert_equal "$(find x/y/z/v1 -mindepth 2)" ''
    assert_equal "$(find x/y/z/v1 -name '[.-]*' -o -name '*/*' | grep -v '^x/y/z/v1$')" ''
    assert_equal "$(find x/y/z/v1 -type f | LC_ALL=C grep -c '[[:cntrl:]]')" 0
    (($(find x/y/z/v1 -type f | wc -l) >= 20))
    assert_exists x/y/z/v1/CON
    assert_exists 'x/y/z/v1/$(id)'
    assert_exists x/y/z/v1/%2e%2e%2fup
}

@test "names that differ only in case are two files, where the file system knows them apart" {
    start_server "$(assets readme README ReadMe 'readm\u00e9' 'readme\u0301')"
    GH_TOKEN=t run_ajob download o/r
    assert_success
    assert_tree . v1/README v1/ReadMe v1/readme $'v1/readm\xc3\xa9' $'v1/readme\xcc\x81'
    assert_body v1/readme 1 1
    assert_body v1/README 2 2
    assert_body v1/ReadMe 3 3
}

@test "a name twice is one file, the other is refused" {
    start_server "$(assets same same)"
    GH_TOKEN=t run_ajob download o/r
    assert_failure 1
    assert_tree . v1/same
    assert_body v1/same 1 1
    assert_stderr --partial 'v1/same: another asset would be written to same too'
}

@test "long names keep below 255 bytes, those of the part and of the note too" {
    local name long=()
    for name in $(seq 235 5 260); do long+=("$(head -c "$name" /dev/zero | tr '\0' n)$name.tgz"); done
    start_server "$(assets "${long[@]}")"
    GH_TOKEN=t run_ajob download o/r
    assert_success
    assert_equal "$(find v1 -type f | wc -l)" ${#long[@]}
    assert_equal "$(find v1 -type f -printf '%s\n' | sort | tr '\n' ' ')" '1 2 3 4 5 6 '
    run_ajob get -r 0 "$MAIN/f/$(head -c 300 /dev/zero | tr '\0' x)?size=300K&seed=1&reset_at=200K&times=1"
    assert_failure 1
    assert_equal "$(find . -maxdepth 1 -name '*.part*' | wc -l)" 2
    run_ajob get "$MAIN/f/$(head -c 300 /dev/zero | tr '\0' x)?size=300K&seed=1&reset_at=200K&times=1"
    assert_success
    assert_requests 1 ' 206 '
}

@test "tags with all that a path or a URL may trip over are asked for as they are" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "pkg/v1#b+c", "assets": [{"name": "a+b#c%20d?e", "size": 1, "seed": 1}]},
        {"tag": "100%", "assets": [{"name": "a", "size": 2}]}, {"tag": "v1?x=y&z", "assets": [{"name": "a", "size": 3}]},
        {"tag": "\u00e9 \u4e2d", "assets": [{"name": "a", "size": 4}]}, {"tag": "..%2f..", "assets": [{"name": "a", "size": 5}]},
        {"tag": "a;b=c:d@e", "assets": [{"name": "a", "size": 6}]}]}}}'
    run_ajob download o/r 'pkg/v1#b+c' '100%' 'v1?x=y&z' $'\xc3\xa9 \xe4\xb8\xad' '..%2f..' 'a;b=c:d@e'
    assert_success
    assert_equal "$(find . -type f -printf '%s\n' | sort | tr '\n' ' ')" '1 2 3 4 5 6 '
    assert_equal "$(find . -type f | LC_ALL=C grep -c '/\.\./')" 0
    assert_requests 1 'GET /repos/o/r/releases/tags/pkg%2Fv1%23b%2Bc 200'
    assert_requests 1 'GET /repos/o/r/releases/tags/100%25 200'
    assert_requests 0 ' 404 '
}

@test "what stands where the file is to be: a socket, a FIFO, a link that leads out or nowhere" {
    start_server
    "$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'
    mkfifo fifo
    ln -s "$HOME/secret" out
    ln -s loop loop
    run_ajob get "$MAIN/f/s?size=5" "$MAIN/f/fifo?size=5" "$MAIN/f/out?size=7&seed=1" "$MAIN/f/loop?size=8&seed=1"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/s: s: is no regular file"
    assert_stderr --partial "ajob: get: $MAIN/f/fifo: fifo: is no regular file"
    [[ -S s && -p fifo && ! -L out && ! -L loop ]]
    assert_body out 1 7
    assert_body loop 1 8
    refute_exists "$HOME/secret"
}

@test "links that wait beside the target are not written through" {
    start_server
    expect_part
    echo precious >precious
    local name
    for name in .part .part.json .part.json.tmp .part.tmp .tmp .new '~'; do ln -s precious "a$name"; done
    run_ajob get -r 0 "$MAIN/f/a?size=2M&seed=1&reset_at=1M"
    run_ajob get -r 0 "$MAIN/f/a?size=2M&seed=1"
    assert_equal "$(<precious)" precious
    [[ ! -e a ]] || assert_body a 1 2M
}

@test "a link to a device or a FIFO, such as /dev/stdout, is in the way" {
    start_server
    mkfifo fifo
    ln -s fifo pipe
    ln -s /proc/self/fd/1 stdout
    ln -s /dev/null null
    run_ajob get "$MAIN/f/pipe?size=5" "$MAIN/f/stdout?size=5" "$MAIN/f/null?size=5"
    assert_failure 1
    [[ -L pipe && -L stdout && -L null ]]
    assert_stderr --partial 'null: leads to what is no regular file'
    assert_requests 0
}
