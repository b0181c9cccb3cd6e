# Names from outside, and what may stand in the way: nothing is ever written
# outside the directory, through a link, or to what is no file.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# fixture NAME...: assets with these names (as JSON writes them) of release v1
fixture() {
    "$PYTHON" -c 'import json, sys; print(json.dumps({"token": "t", "repos": {"o/r": {"releases": [{"tag": json.loads(sys.argv[1]),
        "assets": [{"name": json.loads(name), "size": n, "seed": n} for n, name in enumerate(sys.argv[2:], 1)]}]}}}))' "$@"
}

@test "asset names never leave their directory" {
    start_server "$(fixture '"v1"' '".."' '"."' '"../up"' '"/etc/passwd"' '"a/b"' '"a\\b"' '"-rf"' '".hidden"' '"a\u0000b"' '"nul"')"
    GH_TOKEN=t run_ajob download -d out o/r # with a token the URL has an id, not the name
    assert_failure 1
    assert_stderr --partial 'v1/a\b: another asset would be written to a_b too'
    assert_tree . out/v1/{_,_.,_._up,_etc_passwd,_hidden,_rf,a,a_b,nul}
    assert_body out/v1/_._up 3 3
}

@test "tags never leave the directory either" {
    start_server '{"token": "t", "repos": {"o/r": {"releases": [
        {"tag": "..", "assets": [{"name": "a", "size": 1}]}, {"tag": "../../x", "assets": [{"name": "a", "size": 2}]},
        {"tag": "/abs", "assets": [{"name": "a", "size": 3}]}, {"tag": "-d", "assets": [{"name": "a", "size": 4}]},
        {"tag": "\u001b]0;x\u0007", "assets": [{"name": "a", "size": 5}]}]}}}'
    GH_TOKEN=t run_ajob download -A -d in/out o/r
    assert_success
    assert_tree . in/out/_./a in/out/_._.._x/a in/out/_abs/a in/out/_d/a in/out/_\]0\;x_/a
}

@test "URLs' names never leave the directory" {
    start_server
    run_ajob get -d out "$MAIN/f/%2e%2e?size=1" "$MAIN/f/..%2F..%2Fup?size=2" "$MAIN/f/%2Fetc%2Fpasswd?size=3" \
        "$MAIN/f/-rf?size=4" "$MAIN/f/.bashrc?size=5" "$MAIN/f/nul%00byte?size=6" "$MAIN/f/esc%1b%5b31m?size=7" \
        "$MAIN/f/%ff%fe?size=8" "$MAIN/f/a%5Cb?size=9" "$MAIN/f/%E2%80%AEgpj.exe?size=10"
    assert_success
    assert_tree out _. _._.._up _etc_passwd _rf _bashrc nul_byte 'esc_[31m' __ a_b _gpj.exe
    assert_tree . out/{_.,_._.._up,_etc_passwd,_rf,_bashrc,nul_byte,'esc_[31m',__,a_b,_gpj.exe}
}

@test "a name that a server suggests is not asked for" {
    start_server
    run_ajob get "$MAIN/f/a?size=5&disposition=evil" "$MAIN/f/b?size=5&redirect=/f/other"
    assert_success
    assert_tree . a b
}

@test "names of a list are neutral, too" {
    start_server
    local name
    for name in ../x /y/z a/b a/ /; do
        printf '%s\tfine\n%s\t%s\n' "$MAIN/f/1?size=1" "$MAIN/f/2?size=2" "$name" >list
        run_ajob get -i list -d out
        assert_failure 2
        assert_stderr 'ajob: get: list:2: the name has a directory in it: --dir says where to'
        assert_tree . list
    done
    assert_requests 0 # not even the line before
    printf '%s\t..\n%s\t-rf\n%s\ta\\b\n' "$MAIN/f/1?size=1" "$MAIN/f/2?size=2" "$MAIN/f/3?size=3" >list
    run_ajob get -i list -d out
    assert_success
    assert_tree out _. _rf a_b
}

@test "very long names are cut, with their endings" {
    start_server "$(fixture '"v1"' "\"$(printf 'x%.0s' {1..300}).tar.gz\"" "\"$(printf 'é%.0s' {1..200}).zip\"")"
    GH_TOKEN=t run_ajob download o/r
    assert_success
    assert_equal "$(find v1 -name 'x*.tar.gz' | wc -l)" 1
    assert_equal "$(find v1 -name '*.zip' -printf '%f' | iconv -f UTF-8 -t UTF-8 | grep -c .)" 1
    run_ajob get -o "$(printf 'y%.0s' {1..250})" "$MAIN/f/a?size=1"
    assert_failure 2
    assert_stderr --partial 'not the path of a file'
}

@test "what is printed cannot move a cursor, nor command a CI system" {
    start_server "$(fixture '"v1"' '"::error::boom"' '"\u001b[2J\u001b[31mred"' '"a\nb::warning::x"' '"\u202egpj"' '"##[group]x"')"
    for how in lines none; do
        rm -rf v1
        GH_TOKEN=t run_ajob download --progress "$how" --color always -v o/r
        assert_success
        assert_equal "$(grep -c $'\x1b\|\xe2\x80\xae' "$AJOB_ERR")" 0
        assert_equal "$(grep -cE '^(::|##\[)' "$AJOB_ERR")" 0
    done
    rm -rf v1
    GH_TOKEN=t run_ajob download -d dir o/r
    assert_stderr --partial 'v1/\x1b[2J\x1b[31mred'
    assert_stderr --partial 'v1/a\x0ab::warning::x'
    assert_stderr --partial 'v1/\u{202e}gpj'
    GH_TOKEN=t run_ajob download --list o/r
    assert_equal "${#lines[@]}" 5
    assert_equal "$(grep -c $'\x1b' "$AJOB_OUT")" 0
    GH_TOKEN=t run_ajob download -n o/r
    assert_equal "${#lines[@]}" 5
    run_ajob get $'http://127.0.0.1:1/\x1b[31m'
    assert_failure 2
    assert_equal "$(grep -c $'\x1b' "$AJOB_ERR")" 0
    run_ajob $'\x1b[31m' $'::error::x\n'
    assert_failure 2
    assert_equal "$(grep -c $'\x1b' "$AJOB_ERR")" 0
}

@test "a server's words are escaped" {
    start_server
    run_ajob get "$MAIN/f/a?status=404&body=%1b%5b31m%0d::error::x%0asecond" "$MAIN/f/b?status=404&body=::error::x"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: HTTP 404 (Not Found): \x1b[31m"
    assert_equal "$(grep -c $'\x1b\|\r\|^::' "$AJOB_ERR")" 0
}

@test "a symbolic link under the name is replaced, not followed" {
    start_server
    echo precious >precious
    ln -s precious a
    ln -s /nowhere/at/all b
    run_ajob get "$MAIN/f/a?size=10&seed=1" "$MAIN/f/b?size=10&seed=2"
    assert_success
    assert_equal "$(<precious)" precious
    [[ ! -L a && ! -L b ]]
    assert_body a 1 10
    assert_body b 2 10
}

@test "a symbolic or hard link, a FIFO or a directory as the part is refused" {
    start_server
    echo precious >precious
    ln -s precious a.part
    ln precious b.part
    mkfifo c.part
    mkdir d.part
    run_ajob get -r 0 "$MAIN/f/a?size=1M" "$MAIN/f/b?size=1M" "$MAIN/f/c?size=1M" "$MAIN/f/d?size=1M" "$MAIN/f/e?size=5"
    assert_failure 1
    assert_equal "$(<precious)" precious
    assert_stderr --partial "ajob: get: $MAIN/f/a: a.part: is a symbolic link: refused"
    assert_stderr --partial "ajob: get: $MAIN/f/b: b.part: is no file of its own: refused"
    assert_stderr --partial "ajob: get: $MAIN/f/c: c.part: is no file of its own: refused"
    assert_stderr --partial "ajob: get: $MAIN/f/d: d.part: Is a directory"
    assert_stderr --partial '1 downloaded, 4 failed'
    expect_part
    assert_tree . a.part b.part c.part d.part/ e precious
}

@test "a note that is a link or a FIFO is not read or written through" {
    start_server
    echo precious >precious
    mkfifo a.part.json
    ln -s precious b.part.json
    ln -s precious b.part.json.tmp
    ln -s precious c.part.json
    for f in a b c; do body 0 300K >$f.part; done
    run_ajob get -r 0 "$MAIN/f/a?size=1M&reset_at=500K" "$MAIN/f/b?size=1M" "$MAIN/f/c?size=400K"
    assert_failure 1
    assert_equal "$(<precious)" precious
    assert_body c 0 400K
    assert_equal "$(requests . headers.range | sort -u)" ""
    expect_part
}

@test "a directory, a FIFO or a socket under the name is in the way" {
    start_server
    mkdir a
    mkfifo b
    run_ajob get "$MAIN/f/a?size=5" "$MAIN/f/b?size=5" "$MAIN/f/c?size=5"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/a: a: is a directory"
    assert_stderr --partial "ajob: get: $MAIN/f/b: b: is no regular file"
    assert_tree . a/ b c
    assert_requests 1 # nothing is asked for in vain
}

@test "the tag's directory may not be a link; the user's own may" {
    start_server "$(fixture '"v1"' '"a"')"
    mkdir elsewhere real
    ln -s ../elsewhere real/v1
    ln -s real out
    GH_TOKEN=t run_ajob download -d out o/r
    assert_failure 1
    assert_stderr --regexp 'v1/a: v1: (Not a directory|Too many levels of symbolic links)'
    assert_tree elsewhere
    rm real/v1
    GH_TOKEN=t run_ajob download -d out o/r
    assert_success
    assert_tree real v1/a
    echo file >real/file
    GH_TOKEN=t run_ajob download -d out/file/x o/r
    assert_failure 1
    assert_stderr --partial 'Not a directory'
}

@test "two assets for one file: the second is refused" {
    start_server "$(fixture '"v1"' '"a/b"' '"a_b"' '"A_b"')"
    GH_TOKEN=t run_ajob download o/r
    assert_failure 1
    assert_body v1/a_b 1 1
    assert_stderr --partial 'v1/a_b: another asset would be written to a_b too'
    assert_requests 2 '^storage'
}

@test "a directory that becomes a link while the run is under way is not followed" {
    start_server "$(fixture '"v1"' '"a"' '"b"' | sed 's/"size": 1,/"size": 1, "query": "latch=go",/')"
    mkdir out elsewhere
    local how
    GH_TOKEN=t start_ajob download -j 1 -d out/ o/r # one after the other: nobody has it open between
    wait_for_request '^storage .*held$'
    mv out moved
    ln -s elsewhere out
    open_latch go
    wait_ajob
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/b: out/: has become a symbolic link meanwhile: refused'
    assert_tree elsewhere
    assert_tree moved v1/a # where it had begun
}

@test "a tag's directory that becomes a link while the run is under way is not followed" {
    start_server "$(fixture '"v1"' '"a"' '"b"' | sed 's/"size": 1,/"size": 1, "query": "latch=go",/')"
    mkdir elsewhere
    GH_TOKEN=t start_ajob download -j 1 -d out o/r
    wait_for_request '^storage .*held$'
    mv out/v1 moved
    ln -s ../elsewhere out/v1
    open_latch go
    wait_ajob
    assert_failure 1
    assert_stderr --regexp 'v1/b: v1: (Not a directory|Too many levels of symbolic links)'
    assert_tree elsewhere
    assert_tree moved a
}

@test "names that the file system takes for one: the second does not replace the first" {
    local namespace=(unshare -m)
    ((EUID == 0)) || namespace=(unshare -rm)
    "${namespace[@]}" mount --bind . . 2>/dev/null || skip "nothing can be mounted here"
    start_server "$(fixture '"v1"' '"NAME"' '"name"')"
    GH_TOKEN=t run_ajob download o/r
    assert_success
    assert_body v1/NAME 1 1
    assert_body v1/name 2 2
    # One file under both names, as where case does not count.
    # shellcheck disable=SC2016
    "${namespace[@]}" sh -c 'mount --bind v1/NAME v1/name && GH_TOKEN=t exec "$AJOB" download -j 1 o/r' \
        >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- && status=0 || status=$?
    collect_ajob
    assert_failure 1
    assert_stderr --partial 'ajob: download: v1/name: NAME is there already: the file system takes both names for one'
    assert_body v1/NAME 1 1
    assert_tree v1 NAME name
}

@test "names that are hard links of one file are two files" {
    start_server "$(fixture '"v1"' '"NAME"' '"name"')"
    GH_TOKEN=t run_ajob download o/r
    ln -f v1/NAME v1/name
    GH_TOKEN=t run_ajob download o/r
    assert_success
    assert_body v1/NAME 1 1
    assert_body v1/name 2 2
}

@test "names at the limit of 255 bytes keep their place, their endings and their parts" {
    local long=$(printf 'x%.0s' {1..252})
    start_server "$(fixture '"v1"' "\"$long.gz\"" "\"${long:0:240}\"" "\"$(printf '\\u00e9%.0s' {1..128})\"" | sed 's/"size": \([0-9]\),/"size": "30\1K", "query": "reset_at=200K\&times=1",/g')"
    GH_TOKEN=t run_ajob download --retry-delay 1ms o/r
    assert_success
    assert_equal "$(tree v1 | wc -l)" 3
    assert_equal "$(tree v1 | awk '{print (length($0) <= 240)}' | sort -u)" 1
    assert_requests 3 '^storage .* 206 ok$' # continued, with a note beside it
}
