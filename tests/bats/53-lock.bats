# --lock writes what was downloaded, --locked downloads exactly that or fails; and a
# lock file that somebody else wrote does no harm.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

RELEASES='{"repos": {"o/r": {"releases": [
    {"tag": "v2", "assets": [{"name": "b", "size": "100K", "seed": 3}, {"name": "a", "size": 10, "seed": 4}]},
    {"tag": "pkg/v1#+%", "assets": [{"name": "c d", "size": 50, "seed": 5}]}]}}}'

# lock ASSET...: a lock file with these, each "KEY": VALUE pairs over a good one
lock() {
    "$PYTHON" - "$MAIN" "$@" <<'END'
import json, sys
main, *changes = sys.argv[1:]
good = {"api": main, "repository": "o/r", "tag": "v2", "name": "a", "id": 10010000001, "size": 10,
        "digest": "sha256:" + "0" * 64, "url": main + "/o/r/releases/download/v2/a"}
print(json.dumps({"version": 1, "assets": [good | json.loads("{%s}" % change) for change in changes]}))
END
}

# refused FILE TEXT: wrong usage, and nothing was asked or written
refused() {
    run_ajob download -d out --locked "$1"
    assert_failure 2
    assert_equal "$(wc -l <"$AJOB_ERR")" 1
    assert_stderr --partial "ajob: download: --locked: $1: $2"
    refute_exists out
}

@test "a lock has what was downloaded, in an order of its own, and is the same each time" {
    start_server "$RELEASES"
    run_ajob download --lock tools.lock -d one o/r v2 'pkg/v1#+%'
    assert_success
    assert_equal "$(cat tools.lock)" "$(cat <<END
{
  "version": 1,
  "assets": [
    {
      "api": "$MAIN",
      "repository": "o/r",
      "tag": "pkg/v1#+%",
      "name": "c d",
      "id": 10010010000,
      "size": 50,
      "digest": "sha256:$(body_sha256 5 50)",
      "url": "$MAIN/o/r/releases/download/pkg/v1%23%2B%25/c%20d"
    },
    {
      "api": "$MAIN",
      "repository": "o/r",
      "tag": "v2",
      "name": "a",
      "id": 10010000001,
      "size": 10,
      "digest": "sha256:$(body_sha256 4 10)",
      "url": "$MAIN/o/r/releases/download/v2/a"
    },
    {
      "api": "$MAIN",
      "repository": "o/r",
      "tag": "v2",
      "name": "b",
      "id": 10010000000,
      "size": 102400,
      "digest": "sha256:$(body_sha256 3 100K)",
      "url": "$MAIN/o/r/releases/download/v2/b"
    }
  ]
}
END
)"
    chmod 640 tools.lock
    cp tools.lock before
    run_ajob download --lock tools.lock -d one o/r 'pkg/v1#+%' v2 # up to date, another order
    assert_success
    cmp tools.lock before
    assert_equal "$(stat -c %a tools.lock)" 640
    assert_tree . before tools.lock 'one/pkg_v1#+%/c d' one/v2/a one/v2/b
}

@test "--locked downloads exactly that, without asking the API what there is" {
    start_server "$RELEASES"
    run_ajob download --lock tools.lock -d one -p a -p 'c*' o/r v2 'pkg/v1#+%'
    assert_success
    rm -r "$XDG_CACHE_HOME"
    : >"$SERVER_STATE/requests.jsonl"
    run_ajob download --locked tools.lock -d two
    assert_success
    assert_tree two 'pkg_v1#+%/c d' v2/a
    assert_body two/v2/a 4 10
    assert_stderr --partial 'sha256 ok'
    assert_requests 0 '/repos/'
    assert_requests 2 '/o/r/releases/download/'
    refute_exists "$XDG_CACHE_HOME"
    run_ajob download --locked tools.lock -d two --flat # where it goes is this run's
    assert_tree two 'c d' a 'pkg_v1#+%/c d' v2/a
    run_ajob download --locked tools.lock -d two
    assert_success
    assert_stderr --partial '2 up to date'
    assert_requests 4 '/o/r/releases/download/'
}

@test "a repository, tags and globs choose from a lock; what it has not is said" {
    start_server "$RELEASES"
    run_ajob download --lock tools.lock -d one o/r v2
    run_ajob download --locked tools.lock -d two -p b o/r v2
    assert_success
    assert_tree two v2/b
    run_ajob download --locked tools.lock -d three -x b O/R
    assert_success
    assert_tree three v2/a
    run_ajob download --locked tools.lock -d four o/r v2 v3
    assert_failure 2
    assert_stderr 'ajob: download: o/r: release v3: not in the lock'
    run_ajob download --locked tools.lock -d four o/other
    assert_failure 2
    assert_stderr 'ajob: download: o/other: not in the lock; it has o/r'
    run_ajob download --locked tools.lock -d four -p '*.deb'
    assert_failure 1
    assert_stderr --partial 'no asset in the lock matches'
    run_ajob download --locked tools.lock -d four -p '*.deb' o/r v2
    assert_failure 1
    assert_stderr --partial 'no asset matches; there are: a, b'
    refute_exists four
    run_ajob download --locked tools.lock --list
    assert_equal "$(cut -f 1-3 <<<"$output")" $'v2\ta\t10\nv2\tb\t102400'
    run_ajob download --locked tools.lock -n -p a
    assert_output "would download $MAIN/o/r/releases/download/v2/a to ./v2/a (10 B)"
}

@test "with a token the asset comes through the API, by its id" {
    start_server '{"token": "secret", "repos": {"o/r": {"private": true, "releases": [{"tag": "v1",
        "assets": [{"name": "a", "size": 10}]}]}}}'
    export GH_TOKEN=secret
    run_ajob download --lock l -d one o/r v1
    assert_success
    run_ajob download --locked l -d two
    assert_success
    assert_tree two v1/a
    assert_requests 1 '/releases/tags/'
    assert_requests 2 '/repos/o/r/releases/assets/10010000000 302'
    assert_equal "$(grep -c secret l)" 0
}

@test "a lock is written only if all was downloaded, and the old one stays" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10},
        {"name": "bad", "size": 10, "digest": "bad"}]}]}}}'
    echo old >l
    run_ajob download -r 0 --lock l o/r v1
    assert_failure 1
    assert_equal "$(<l)" old
    assert_tree . l v1/a
    run_ajob download -x bad --lock l o/r v1
    assert_success
    assert_equal "$(grep -c '"name"' l)" 1
}

@test "where a lock cannot be written: wrong usage, before anything is asked for" {
    start_server "$RELEASES"
    ln -s none link
    mkdir dir
    mkfifo fifo
    touch file
    local target why long
    printf -v long '%0253d' 0
    for target in 'link|is a symbolic link: refused' 'dir|is a directory' 'dir/|is a directory' 'fifo|is no regular file' \
        'none/l|No such file or directory' 'none/none/l|No such file or directory' 'file/l|Not a directory' \
        "$long|File name too long" '/proc/l|'; do
        why=${target#*|} target=${target%|*}
        run_ajob download --lock "$target" -d none -p a o/r v2
        if [[ $target == none/l ]]; then # in DIR, which is made
            assert_success
            mv none/l l
            rm -r none
            continue
        fi
        assert_failure 2
        assert_stderr --partial "ajob: download: --lock: $target: $why"
    done
    if ((EUID)); then
        chmod 555 dir
        run_ajob download --lock dir/l -p a o/r v2
        assert_failure 2
        assert_stderr 'ajob: download: --lock: dir/l: Permission denied'
    fi
    assert_requests 3
    assert_tree . dir/ fifo file l link
}

@test "a lock that cannot be written in the end: a failure that says so, and no file half written" {
    start_server "$RELEASES"
    echo precious >precious
    local target why
    run_ajob download -d new -p a o/r v2
    for target in 'write|No space left on device' 'fsync|Input/output error' 'rename|Input/output error'; do
        why=${target#*|} target=${target%|*}
        AJOB_FAULT=$target:1 run_ajob download --lock precious -d new -p a o/r v2
        assert_failure 1
        assert_stderr --partial "ajob: download: --lock: precious: $why"
    done
    ln -s precious l.tmp # planted
    run_ajob download --lock l -p a o/r v2
    assert_success
    assert_equal "$(<precious)" precious
    assert_tree . l new/v2/a precious v2/a
}

@test "what --lock and --locked cannot go with is wrong usage" {
    start_server "$RELEASES"
    run_ajob download --lock a --locked b o/r
    assert_failure 2
    assert_stderr 'ajob: download: --locked: --lock is given too: FILE says which releases it is'
    run_ajob download --locked b --all o/r
    assert_failure 2
    run_ajob download --locked b --prerelease o/r
    assert_failure 2
    run_ajob download --lock a --list o/r
    assert_failure 2
    assert_stderr 'ajob: download: --lock: --list: nothing is downloaded: use one of both'
    run_ajob download --lock a -n o/r
    assert_failure 2
    run_ajob download --lock a
    assert_failure 2
    assert_tree .
    assert_requests 0
}

@test "what is no lock file is refused, with file and reason" {
    start_server "$RELEASES"
    refused none 'No such file or directory'
    mkdir dir
    refused dir 'is no regular file'
    mkfifo fifo
    refused fifo 'is no regular file'
    truncate -s 17M huge
    refused huge 'longer than a lock file is'
    local text
    for text in '' '{' '[]' 'null' '{} x' '{"version": 1, "assets": [}' $'{"version": 1, "assets": [\x01]}' \
        $'{"version": 1, "x": "\xff", "assets": []}' '{"version": 1, "x": "\u0000", "assets": []}' \
        '{"version": 1}' '{"version": 1, "assets": {}}' '{"version": 1, "version": 1, "assets": []}' \
        '{"version": 1, "assets": [], "assets": []}' '{"version": "1", "assets": []}' '{"version": 1.5, "assets": []}' \
        "$(printf '[%.0s' {1..5000})"; do
        printf '%s' "$text" >l
        refused l 'not a lock file: '
    done
    echo '{"version": 2, "assets": []}' >l
    refused l 'a lock file of another version'
    echo '{"version": 1, "assets": []}' >l
    run_ajob download --locked l
    assert_failure 2
    assert_stderr 'ajob: download: --locked: l: it is empty'
    assert_requests 0
}

@test "a hostile lock file: nothing outside, no other host, no other scheme" {
    start_server "$RELEASES"
    local change key
    for change in '"name": "../a"' '"name": ".."' '"name": "/etc/passwd"' '"name": "a\\b"' '"name": "a\u001bb"' \
        '"name": ""' '"name": 7' '"name": null' '"name": ["a"]' \
        '"tag": "../../x"' '"tag": "/abs"' '"tag": ""' '"tag": "a\nb"' '"tag": {}' \
        '"repository": "o"' '"repository": "../r"' '"repository": "o/r/x"' '"repository": "http://x/o/r"' \
        '"api": "file:///etc"' '"api": "x"' '"api": "http://u:p@127.0.0.1"' '"api": "http://127.0.0.1/?x"' '"api": null' \
        '"id": -1' '"id": 1.5' '"id": 1e300' '"id": "1"' '"size": -1' '"size": null' \
        '"digest": "sha256:00"' '"digest": ""' '"digest": 5' '"digest": "md5:00000000000000000000000000000000"' \
        '"url": "file:///etc/passwd"' "\"url\": \"$STORAGE/f/a\"" '"url": "http://127.0.0.1:1/a"' '"url": "/a"' \
        "\"url\": \"http://u:p@${MAIN#http://}/a\"" '"url": 5' '"url": "http://a\u0007"'; do
        key=${change#\"} key=${key%%\"*}
        lock '' "$change" >l
        refused l 'assets[1]: "'"$key"'" is missing or not what a lock has there'
        assert_equal "$(grep -c $'\x1b' "$AJOB_ERR")" 0
    done
    lock '' '"name": "b"' >l
    refused l 'assets[1]: the id of b is there twice'
    lock '' '"id": 5' >l
    refused l 'a is there twice'
    lock '' | sed 's/"tag": "v2"/"tag": "v2", "tag": "v3"/' >l
    refused l 'assets[0]: key "tag" twice'
    lock '' | sed 's/"digest": "[^"]*", //' >l
    refused l 'assets[0]: "digest" is missing'
    echo '{"version": 1, "assets": [7]}' >l
    refused l 'assets[0]: not an object'
    assert_requests 0
}

@test "the token goes to the run's own API, whatever a lock file says" {
    start_server "$RELEASES"
    lock "\"api\": \"$STORAGE\", \"url\": null" >l
    GH_TOKEN=secret run_ajob download --locked l
    assert_failure 2
    assert_stderr "ajob: download: o/r: locked for the API $STORAGE: set GITHUB_API_URL or give the repository's URL"
    lock "\"api\": \"$STORAGE/api/v3\", \"url\": \"$STORAGE/o/r/releases/download/v2/a\"" >l
    GH_TOKEN=secret run_ajob download --locked l o/r
    assert_failure 2
    assert_tree . l
    assert_requests 0
}

@test "an asset without a digest is locked by the bytes that came" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10, "digest": null},
        {"name": "b", "size": 10, "seed": 1, "digest": null}, {"name": "b.sha256", "content": "${sha256:b}"}]}]}}}'
    run_ajob download --lock l -d one -p b o/r v1
    assert_success
    assert_equal "$(grep digest l)" "      \"digest\": \"sha256:$(body_sha256 1 10)\","
    run_ajob download --lock l -d one -p a o/r v1
    assert_success
    assert_equal "$(grep digest l)" "      \"digest\": \"sha256:$(body_sha256 0 10)\","
    run_ajob download --lock l2 -d one -p a o/r v1 # up to date, by its date
    assert_success
    cmp l l2
    run_ajob download --locked l -d two
    assert_success
    assert_stderr --regexp 'downloaded v1/a .* sha256 ok'
    assert_body two/v1/a 0 10
}

@test "--require-digest holds for a lock, too" {
    start_server "$RELEASES"
    lock '"digest": null' >l
    run_ajob download --locked l --require-digest
    assert_failure 1
    assert_stderr --partial 'v2/a: it has no digest'
    assert_requests 0
    run_ajob download --locked l
    assert_success
    assert_stderr --partial 'not verified'
}

@test "what a lock names has changed or gone: a failure that says so, and no file" {
    start_server "$RELEASES"
    run_ajob download --lock l -d one o/r v2
    set_fixture '{"repos": {"o/r": {"releases": [{"tag": "v2", "assets": [{"name": "a", "size": 10, "seed": 9}]}]}}}'
    run_ajob download --locked l -d two
    assert_failure 1
    assert_stderr --partial "ajob: download: v2/a: locked: has changed: sha256 mismatch: expected $(body_sha256 4 10), got $(body_sha256 9 10)"
    assert_stderr --partial 'ajob: download: v2/b: locked: has changed: HTTP 404 (Not Found)'
    assert_tree two v2/
    set_fixture '{"repos": {"o/r": {"releases": [{"tag": "v2", "assets": [{"name": "a", "size": 11, "seed": 4}]}]}}}'
    run_ajob download --locked l -d two -p a
    assert_failure 1
    assert_stderr --partial 'ajob: download: v2/a: locked: has changed: the server has 11 bytes, expected 10'
    # By its id, a replaced one is gone, though it has the same bytes.
    set_fixture '{"token": "t", "repos": {"o/r": {"releases": [{"tag": "v2", "assets": [{"name": "a", "id": 5, "size": 10, "seed": 4}]}]}}}'
    GH_TOKEN=t run_ajob download --locked l -d two -p a
    assert_failure 1
    assert_stderr --partial 'ajob: download: v2/a: locked: has changed: HTTP 404 (Not Found)'
    assert_requests 0 '/releases/[0-9]*/assets'
    assert_tree two v2/
    # A server in trouble is none that has changed.
    set_fixture '{"errors": {"*": {"status": 500}}, "repos": {"o/r": {"releases": []}}}'
    run_ajob download -r 0 --locked l -d two -p a
    assert_failure 1
    refute_stderr --partial changed
}
