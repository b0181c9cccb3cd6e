# GitHub Actions: annotations of failures, the summary of the step, its outputs; and that
# nothing from outside becomes a workflow command, Markdown or an output of its own.

load ../helpers

setup() {
    common_setup
    ACTIONS=$BATS_TEST_TMPDIR
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$ACTIONS/summary GITHUB_OUTPUT=$ACTIONS/output
}
teardown() { common_teardown; }

annotations() { grep '^::' <<<"$stderr" || true; }
summary() { cat "$ACTIONS/summary"; }
rows() { grep '^|' "$ACTIONS/summary" || true; }

# read_output NAME: its lines, as the runner reads the file; fails where it would
read_output() {
    "$PYTHON" - "$ACTIONS/output" "$1" <<'END'
import sys
lines = open(sys.argv[1]).read().splitlines()
found = {}
while lines:
    line = lines.pop(0)
    if "=" in line and not ("<<" in line and line.index("<<") < line.index("=")):
        name, value = line.split("=", 1)
    else:
        name, delimiter = line.split("<<", 1)
        assert delimiter, "no delimiter"
        value = ""
        while (line := lines.pop(0)) != delimiter:
            value += line + "\n"
    assert name not in found, f"{name} is there twice"
    found[name] = value
if sys.argv[2] not in found:
    sys.exit(f"no output {sys.argv[2]}: {sorted(found)}")
print(found[sys.argv[2]].rstrip("\n"))
END
}

@test "failures become annotations, also with -q; the lines for people stay" {
    start_server
    run_ajob get "$MAIN/f/a?status=404" "$MAIN/f/b?size=10"
    assert_failure 1
    refute_output
    assert_equal "$(annotations)" "::error title=ajob get::$MAIN/f/a: HTTP 404 (Not Found)"
    grep -qxF "ajob: get: $MAIN/f/a: HTTP 404 (Not Found)" "$AJOB_ERR"
    run_ajob get -q "$MAIN/f/a?status=404"
    assert_equal "$(annotations)" "::error title=ajob get::$MAIN/f/a: HTTP 404 (Not Found)"
    run_ajob gather -k 'exit 3' true
    assert_equal "$(annotations)" "::error title=ajob gather::1: exit 3"
    run_ajob run --timeout 10ms --exec slow='sleep 60' --grace 10ms
    assert_failure 124
    assert_equal "$(annotations)" "::error title=ajob run::timeout 10ms: still running: slow"
    run_ajob race 'exit 4' 'sleep 60'
    assert_equal "$(annotations)" "::error title=ajob race::1: exit 4"
}

@test "elsewhere, and with --no-actions, there is nothing of it" {
    run_ajob gather --no-actions 'exit 3'
    assert_failure 1
    assert_equal "$(annotations)" ""
    GITHUB_ACTIONS='' run_ajob gather 'exit 3'
    assert_equal "$(annotations)" ""
    assert_tree "$ACTIONS" home/ never server/ stderr stdout tmp/ work/
}

@test "nine annotations, and how many more there are" {
    run_ajob gather -k "$(printf 'exit 1')"{,,,,}{,,}
    assert_failure 1
    assert_equal "$(annotations | wc -l)" 10
    assert_equal "$(annotations | tail -n 1)" "::error title=ajob gather::6 more failed: the log names them"
    run_ajob gather -k "exit 1"{,,}{,,}
    assert_equal "$(annotations | wc -l)" 9
    refute_stderr --partial 'more failed'
}

@test "an annotation begins a line, whatever commands have printed before it" {
    run_ajob gather --output stream 'printf half >&2; exit 3'
    assert_failure 1
    assert_equal "$(annotations)" "::error title=ajob gather::1: exit 3"
}

@test "an annotation has % escaped, and nothing from outside begins one" {
    start_server
    run_ajob get "$MAIN/f/a%25b%0A::error::x?status=404&body=50%25%0A::warning::y"
    assert_failure 1
    assert_equal "$(annotations)" \
        "::error title=ajob get::$MAIN/f/a%2525b%250A::error::x: HTTP 404 (Not Found): 50%25"
}

@test "names that would be workflow commands are lists, logs and paths only" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": " ::set-output::t", "assets": [
        {"name": "::error::a", "size": 10, "seed": 1}, {"name": "##[error]b", "size": 10, "seed": 2}]}]}}}'
    run_ajob download --list o/r
    assert_success
    assert_equal "$(grep -hE '^\s*::|##\[' "$AJOB_OUT" "$AJOB_ERR")" ""
    run_ajob download -v o/r
    assert_success
    assert_equal "$(grep -hE '^\s*::|##\[' "$AJOB_OUT" "$AJOB_ERR")" ""
    run_ajob download -n o/r
    assert_equal "$(grep -hE '^\s*::|##\[' "$AJOB_OUT" "$AJOB_ERR")" ""
}

@test "the summary has a table of files: size, digest, what verified it, result" {
    start_server
    run_ajob get --sha256 "$(body_sha256 1 300K)" "$MAIN/f/a.tgz?size=300K&seed=1"
    assert_success
    assert_equal "$(sed -n 1p "$ACTIONS/summary" | sed -E 's/[0-9.]+m?s.*/T/')" \
        "### ajob get: 1 downloaded, 300.0 KiB in T"
    assert_equal "$(rows | sed -n '1,2p')" "| file | size | digest | verified | result |
|---|--:|---|---|---|"
    [[ $(rows | sed -n 3p) =~ ^'| a.tgz | 300.0 KiB | <code>sha256:'$(body_sha256 1 300K)'</code> | yes | '[0-9.]+m?s' |'$ ]] ||
        fail "$(summary)"
    # Each run adds its own; failures come first.
    run_ajob get "$MAIN/f/b?size=10" "$MAIN/f/a.tgz?size=300K&seed=1" "$MAIN/f/c?status=404&body=no%20c"
    assert_equal "$(grep -c '^### ' "$ACTIONS/summary")" 2
    assert_equal "$(rows | sed -n 6p)" '| c |  |  |  | **failed**: HTTP 404 (Not Found)&#58; no c |'
    assert_equal "$(rows | sed -n '7,$p' | grep -c '^| a.tgz | 300.0 KiB | .* | up to date |$')" 1
}

@test "the summary of commands has their status, time and cause" {
    run_ajob run -k --exec a='exit 3' --exec b:a=true --exec c=true
    assert_failure 1
    assert_equal "$(rows | sed -n 1,2p)" "| task | status | time | cause |
|---|---|--:|---|"
    assert_equal "$(rows | sed 1,2d | sed -E 's/[0-9.]+m?s/T/' | LC_ALL=C sort)" "| a | **failed** | T | exit 3 |
| b | skipped | T | a failed&#58; exit 3 |
| c | succeeded | T |  |"
    grep -q '^### ajob run: 1 done, 1 failed, 1 skipped in ' "$ACTIONS/summary"
}

@test "Markdown in names is text" {
    start_server
    run_ajob get "$MAIN/f/%7C%60x%60%20**b**%20%3Cb%3E%5Bl%5D(http:%2F%2Fx)?size=10" "$MAIN/f/www.x.org?size=10"
    assert_success
    assert_equal "$(rows | grep -c '^| &#124;&#96;x&#96; &#42;&#42;b&#42;&#42; &#60;b&#62;&#91;l&#93;(http&#58;&#95;&#95;x) | ')" 1
    assert_equal "$(rows | grep -c '^| www&#46;x.org | ')" 1
}

@test "a release that is not there is in the table, a group with its failures is not" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}}'
    run_ajob download o/r v1 v9
    assert_failure 1
    assert_equal "$(rows | grep -c '^| v9 | \*\*failed\*\* | ')" 1
    rm "$ACTIONS/summary"
    cat >spec.json <<<'{"tasks": {"g": {"group": {"x": "exit 1"}}}}'
    run_ajob run spec.json
    assert_equal "$(rows | cut -d '|' -f 2)" ' task 
---
 g/x '
}

@test "outputs: paths in order, their count, the tag" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v2", "assets": [{"name": "b", "size": 10}, {"name": "a", "size": 10}]},
        {"tag": "v1", "assets": [{"name": "c", "size": 10}]}]}}}'
    echo 'before=1' >"$ACTIONS/output"
    run_ajob download -d d o/r
    assert_success
    assert_equal "$(read_output before)" 1
    assert_equal "$(read_output paths)" $'d/v2/a\nd/v2/b'
    assert_equal "$(read_output count)" 2
    assert_equal "$(read_output tag)" v2
    rm "$ACTIONS/output"
    run_ajob download -d d --flat o/r v1 v2
    assert_equal "$(read_output tags)" $'v1\nv2'
    assert_equal "$(read_output paths)" $'d/a\nd/b\nd/c'
    rm "$ACTIONS/output"
    run_ajob download --lock lock -d d o/r
    rm "$ACTIONS/output"
    run_ajob download --locked lock -d e
    assert_equal "$(read_output tag)" v2
    assert_equal "$(read_output paths)" $'e/v2/a\ne/v2/b'
    rm "$ACTIONS/output"
    # What is up to date is there, what failed is not; a get has no tag.
    run_ajob get -d d "$MAIN/f/x?size=10" "$MAIN/f/y?status=404"
    run_ajob get -d d "$MAIN/f/x?size=10"
    assert_equal "$(sed -n '/^paths/,/^ajob/p' "$ACTIONS/output" | grep -v ajob_)" $'d/x\nd/x'
    assert_equal "$(grep -c '^tag' "$ACTIONS/output" || true)" 0
    # Delimiters are drawn for each.
    assert_equal "$(grep -o '<<.*' "$ACTIONS/output" | sort -u | wc -l)" 2
    # Commands have none.
    rm "$ACTIONS/output"
    run_ajob gather true
    refute_exists "$ACTIONS/output"
}

@test "a name cannot end an output, nor make one" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1\nevil=1", "assets": [{"name": "a\nb<<c", "size": 10}]}]}}}'
    run_ajob download o/r
    run -1 read_output evil
    assert_equal "$(read_output count)" 1
    run -1 read_output tag
    assert_stderr --partial "GITHUB_OUTPUT: $ACTIONS/output: lacks a path or tag: it has a control character in it"
    rm "$ACTIONS/output"
    run_ajob get -d $'d\n::error::x' "$MAIN/f/a?size=5"
    assert_equal "$(grep -v ajob_ "$ACTIONS/output")" count=0
}

@test "lists and dry runs write neither file" {
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a", "size": 10}]}]}}}'
    run_ajob download --list o/r
    run_ajob download -n o/r
    run_ajob get -n "$MAIN/f/x"
    refute_exists "$ACTIONS/output"
    refute_exists "$ACTIONS/summary"
}

@test "files that cannot be written are told of, and fail nothing" {
    start_server
    GITHUB_STEP_SUMMARY=/dev/full GITHUB_OUTPUT=$WORK/no/where run_ajob get "$MAIN/f/x?size=10"
    assert_success
    assert_stderr --partial 'ajob: get: GITHUB_STEP_SUMMARY: /dev/full: No space left on device'
    assert_stderr --partial "ajob: get: GITHUB_OUTPUT: $WORK/no/where: No such file or directory"
    truncate -s 1M "$ACTIONS/summary"
    run_ajob get "$MAIN/f/x?size=10"
    assert_success
    assert_stderr --partial "GITHUB_STEP_SUMMARY: $ACTIONS/summary: is full: the runner takes no more than 1 MiB"
    unset GITHUB_STEP_SUMMARY GITHUB_OUTPUT
    run_ajob get "$MAIN/f/x?size=10"
    assert_success
    refute_stderr --partial GITHUB
}

@test "a summary never makes the file larger than the runner takes, failures before the rest" {
    truncate -s 1020K "$ACTIONS/summary"
    run_ajob gather -q -k -j 8 'exit 7' "$(printf ': %01000d' 0)"{,,,,,,,,,}{,,,,,,,,,} --name "$(printf 'n%0199d' 0)"
    assert_failure 1
    (($(stat -c %s "$ACTIONS/summary") <= 1024 * 1024)) || fail "too large"
    grep -aq 'exit 7' "$ACTIONS/summary"
    grep -aqE '^and [0-9]+ more$' "$ACTIONS/summary"
}

@test "neither file has a secret in it" {
    start_server --tls
    run_ajob get --cacert "$CA" -H 'X-Api-Key: s3cret' "$TLS/f/x?size=10&sig=s3cret" "${TLS/\/\////user:s3cret@}/f/y?status=403&key=s3cret"
    assert_failure 1
    refute_stderr --partial s3cret
    assert_equal "$(grep -c s3cret "$ACTIONS/summary" "$ACTIONS/output")" "$ACTIONS/summary:0
$ACTIONS/output:0"
}

@test "what was done before a signal is in both files" {
    start_server
    start_ajob get "$MAIN/f/x?size=10" "$MAIN/f/y?size=10&latch=never"
    expect_status 130
    expect_part
    wait_for_request '/f/x.* 200 ok$'
    wait_for_request '/f/y.* held$'
    wait_until 60 test -e x
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(read_output paths)" x
    assert_equal "$(rows | grep -c 'cancelled.*SIGINT')" 1
}

@test "each: an annotation for each item that fails, and a row for every one" {
    run_ajob each -- sh -c 'exit $0' {} <<<$'1\n2\n0'
    assert_failure 1
    assert_equal "$(annotations | wc -l)" 2
    assert_equal "$(rows | sed 1,2d | grep -c succeeded)" 1
    assert_equal "$(rows | sed 1,2d | grep -c '\*\*failed\*\* | .* exit [12] |$')" 2
}
