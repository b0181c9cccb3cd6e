# ajob check: what is wrong with a spec is said, all of it, at its place; the JSON
# Schema says the same of the same files.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

SPECS=$TESTS_DIR/specs

# check TEXT [ARG...]: of a spec with this text
check() { run_ajob check "${@:2}" - <<<"$1"; }

# wrong TEXT LINE...: exit 2, and of stderr these are the lines that name a place
wrong() {
    check "$1"
    assert_failure 2
    refute_output
    assert_equal "$(grep '^standard input:' <<<"$stderr")" "$(printf 'standard input:%s\n' "${@:2}")"
}

schema_says() { # FILE...
    "$AJOB" check --schema >schema.json
    "$PYTHON" -W ignore "$TESTS_DIR/schema.py" schema.json "$@"
}

# --- the examples ------------------------------------------------------------

@test "a script in which something was to be replaced gets a warning" {
    run_ajob check - <<<'{"tasks": {"a": "echo 1", "b": {"sh": "echo $HOME ${HOME:-x} ${a.stdout}", "needs": "a"}}}'
    assert_success
    assert_stderr --partial 'warning: nothing is replaced in a script, so ${a.stdout} is for the shell; hand it over:'
    run_ajob check --strict - <<<'{"tasks": {"a": "echo ${HOME} ${item} ${X:-y} $((1 + 2)) $$ ${"}}'
    assert_success
    refute_stderr
}

@test "right specs are accepted, by check and by the schema" {
    for file in "$SPECS"/good/*; do
        run_ajob check --strict "$file"
        assert_success
        refute_output
        refute_stderr
    done
    assert_equal "$(schema_says "$SPECS"/good/*.json | grep -v '^accepted')" ""
    rm schema.json
}

@test "each wrong spec has the one mistake that its comment says, and no other" {
    for file in "$SPECS"/bad/*.json; do
        [[ $file != */list.json ]] || continue # an object has comments
        expected=$("$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1]))["$comment"])' "$file")
        run_ajob check "$file"
        assert_failure 2
        assert_stderr --partial "$expected"
        assert_equal "$(grep -c ': error: ' <<<"$stderr")" 1
        [[ $stderr == "$file:"[1-9]*:[1-9]*": error: "* ]] || fail_with_output "no place"
    done
    run_ajob check "$SPECS/bad/list.json"
    assert_failure 2
    assert_stderr --partial 'error: a spec is an object'
}

@test "the schema rejects the wrong specs, but for those beyond it" {
    assert_equal "$(schema_says "$SPECS"/bad/*.json | grep -v '^rejected' | grep -v /beyond-)" ""
    assert_equal "$(schema_says "$SPECS"/bad/beyond-*.json | grep -v '^accepted')" ""
    rm schema.json
}

# --- how mistakes are told -----------------------------------------------------

@test "a mistake is told with its place, the line, marks and a hint" {
    cat >ci.json <<'END'
{
  "tasks": {
    "fetch": {
      "get": "https://example.org/x",
      "timout": "30s",
    }
  }
}
END
    run_ajob check ci.json
    assert_failure 2
    refute_output
    assert_stderr 'ci.json:5:7: error: unknown key "timout" in task "fetch"; did you mean "timeout"?
    5 |       "timout": "30s",
      |       ^~~~~~~~'
    rm ci.json
}

@test "every mistake is told, in the order of the text" {
    wrong '{
  "tasks": {
    "a": {"needs": ["b"], "timeout": true},
    "b": {"exec": ["x", "${c.path}"], "needs": ["a", "nobody"]},
    "c": {"sh": "x", "exec": ["y"]},
    "c": {"sh": "z"},
    "d": {"sh": "x", "sh": "y"}
  },
  "jbs": 1
}' '3:5: error: tasks wait for each other in a cycle: a -> b -> a' \
        '3:38: error: "timeout" in task "a" must be a duration such as "30s", not true' \
        '4:26: error: ${c.path}: task "c" is of the kind sh and has no path; only a get has a path' \
        '4:54: error: task "b" needs "nobody", which does not exist' \
        '5:22: error: "exec" is a second kind in task "c"; a task has one kind: use a group for two' \
        '5:11: note: "sh" is the first' \
        '6:5: error: task "c" is defined twice' \
        '5:5: note: here is the first one' \
        '7:22: error: "sh" is there twice in task "d"' \
        '7:11: note: here is the first one' \
        '9:3: error: unknown key "jbs" at the top; did you mean "jobs"?'
}

@test "columns count characters, and marks stand under what is shown" {
    check $'{"tasks": {"a": {"description": "\xc3\xa4\xe4\xb8\xad\\u00e4", "shh": "x"}}}'
    assert_failure 2
    assert_stderr --partial ':1:45: error: unknown key "shh"'
    # In the C locale what is no ASCII is a question mark on a terminal only.
    marks=$(sed -n 3p <<<"$stderr") line=$(sed -n 2p <<<"$stderr")
    before=${marks%%^*}
    LC_ALL=C.UTF-8
    shown=${line%%\"shh\"*}
    # One of the characters is two columns wide.
    assert_equal "${#before}" "$((${#shown} + 1))"
}

@test "the place within a string is found behind escapes" {
    check '{"tasks": {"a": {"exec": ["\u00e4\n\ud83d\ude00 ${b.stdout}"]}}}'
    assert_failure 2
    assert_stderr --partial ':1:49: error: ${b.stdout}: there is no task "b"'
    assert_stderr --partial '^~~~~~~~~~~'
}

@test "control characters of a spec do not reach the terminal" {
    check '{"tasks": {"a": {"\u001b[2J\u202e": "x"}}, "\u0007": 1}'
    assert_failure 2
    assert_stderr --partial 'unknown key "\x1b[2J\u{202e}" in task "a"'
    refute_stderr --regexp $'[\x01-\x09\x0b-\x1f]'
    run_ajob check $'no\nsuch\x1bfile'
    assert_failure 2
    assert_stderr 'ajob: check: no\x0asuch\x1bfile: cannot be read: No such file or directory'
}

@test "a long line is shown around the place" {
    printf '{"tasks": {%s "b": {"shh": "x"}%s}}' "$(printf '"a%d": {}, ' {1..30})" "$(printf ', "c%d": {}' {1..30})" >long.json
    run_ajob check long.json
    assert_failure 2
    while IFS= read -r line; do
        ((${#line} < 130)) || fail "too long: $line"
    done < <(tail -n +2 <<<"$stderr")
    assert_stderr --regexp '\.\.\..*"shh".*\.\.\.'
    rm long.json
}

@test "a hundred mistakes are printed, the others counted" {
    check "{\"tasks\": {$(printf '"a%d": {"x": 1}, ' {1..250})}}"
    assert_failure 2
    assert_equal "$(grep -c ': error: ' <<<"$stderr")" 100
    assert_equal "$(tail -n 1 <<<"$stderr")" '... and 150 more'
}

@test "a cycle is told once, however it is entered; many of them are not all told" {
    wrong '{"tasks": {"s": {"needs": "a"}, "a": {"needs": "b"}, "b": {"needs": "c"}, "c": {"needs": "a"}, "e": {"needs": "c"}}}' \
        '1:33: error: tasks wait for each other in a cycle: a -> b -> c -> a'
    check "{\"tasks\": {$(for i in {1..80}; do printf '"a%d": {"needs": "a%d"}, ' "$i" "$i"; done)}}"
    assert_failure 2
    assert_equal "$(grep -c 'in a cycle' <<<"$stderr")" 20
}

@test "a variable that is not set is an error, and --set sets it" {
    spec='{"tasks": {"a": {"exec": ["x", "${var.V}", "${var.W}"]}}}'
    check "$spec" --set V=1 --set W=
    assert_success
    refute_stderr
    check "$spec" --set V=1
    assert_failure 2
    assert_stderr --partial '${var.W}: is not set; give it a value with --set W=VALUE'
    check "$spec" --set V
    assert_failure 2
    assert_stderr 'ajob: check: --set: V: has no value: use NAME=VALUE'
    check "$spec" --set =1
    assert_failure 2
    assert_stderr --partial 'not a name'
}

# --- warnings --------------------------------------------------------------------

@test "warnings are told and count only with --strict" {
    spec='{"tasks": {
    "g": {"group": {}},
    "e": {"each": [], "do": "x"},
    "r": {"each": {"from": 2, "to": 1}, "do": "x"},
    "t": {"sh": "x", "timeout": 0},
    "a": {"get": "http://h/x", "to": "./f"},
    "b": {"get": "http://h/y", "dir": "."},
    "c": {"get": "http://h/f"},
    "i": {"each": ["1"], "do": {"get": "http://h/z"}},
    "n": {"group": {"z": {"sh": "x", "when": "failure"}}}
}}'
    check "$spec"
    assert_success
    assert_equal "$(sed -n 's/^standard input:\([0-9]*\):[0-9]*: \(warning\|error\|note\): /\1 \2 /p' <<<"$stderr")" \
        '2 warning a group without tasks
3 warning "each" over an empty list: nothing is started
4 warning "each" over an empty range: nothing is started
5 warning task "t" has a timeout of 0 and is never started
8 warning task "c" writes to f, and so does another one
6 note here is the other one
9 warning task "i/do" writes to z for every item
10 warning task "n/z" is for failures, but nothing is there that could fail'
    check "$spec" --strict
    assert_failure 2
    check '{"tasks": {}}'
    assert_success
    assert_stderr --partial 'warning: no tasks: nothing is started'
}

# --- JSON ------------------------------------------------------------------------

@test "text that is no JSON: where and why" {
    wrong '{"tasks": {"a": "x" "b": "y"}}' '1:21: error: a comma is missing before this'
    wrong "{'tasks': {}}" "1:2: error: strings are in double quotes"
    wrong '{tasks: {}}' '1:2: error: a key must be in double quotes'
    wrong '{"tasks": {}} x' '1:15: error: more text after the end of the spec'
    wrong '{"tasks": {"a": "x
y"}}' '1:17: error: the string has no closing quote on its line; a line break in it is written \n'
    wrong '{"tasks": {
  "a": {"needs": ["b"}' "2:22: error: ']' is expected here, for the '[' of line 2"
    wrong '{"tasks": {"a": {}' "1:11: error: this '{' is never closed"
    wrong '{"jobs": 012, "tasks": {}}' '1:10: error: a number with leading zeros; write it without them, or in quotes'
    wrong '{"jobs": 30s, "tasks": {}}' '1:10: error: not a number as JSON has them; units and words go in quotes: "30s"'
    wrong '{"jobs": True, "tasks": {}}' '1:10: error: unknown word True; did you mean true?'
    wrong '# x
{}' '1:1: error: comments begin with //'
    wrong '{"tasks" {}}' '1:2: error: a colon is missing after this key'
    wrong '' '1:1: error: there is nothing in it; the least is { "tasks": {} }'
}

@test "comments, trailing commas and a byte order mark are read, and places stay true" {
    check $'\xef\xbb\xbf{ // x\n  /* y\n */ "tasks": {"a": {"shh": 1,},},\n}'
    assert_failure 2
    assert_stderr --partial ':3:21: error: unknown key "shh"'
}

# --- the command -------------------------------------------------------------------

@test "specs are files or standard input, several at once; none is wrong usage" {
    echo '{"tasks": {"a": "x"}}' >right.json
    echo '{"tasks": {"a": 1}}' >wrong.json
    run_ajob check right.json wrong.json right.json
    assert_failure 2
    assert_equal "$(grep -c error <<<"$stderr")" 1
    run_ajob check -v right.json - <right.json
    assert_success
    refute_output
    assert_stderr 'ajob: check: right.json: right
ajob: check: standard input: right'
    run_ajob check missing.json right.json
    assert_failure 2
    assert_stderr 'ajob: check: missing.json: cannot be read: No such file or directory'
    run_ajob check .
    assert_failure 2
    assert_stderr 'ajob: check: .: cannot be read: Is a directory'
    run_ajob check
    assert_failure 2
    assert_stderr 'ajob: check: no spec given: use ajob check SPEC.json'
    rm right.json wrong.json
}

@test "what a probe would refuse when its service starts is a mistake of the spec" {
    wrong '{"tasks": {
        "a": {"service": "x", "ready": {"tcp": "localhost"}},
        "b": {"service": "x", "ready": {"tcp": "[::1]:99999"}},
        "c": {"service": "x", "ready": {"http": "https://h/"}},
        "d": {"service": "x", "ready": {"http": "http://h:p/"}},
        "e": {"service": "x", "ready": {"line": "a("}},
        "f": {"service": "x", "ready": {"tcp": "${env.HOST}:http"}}
    }}' \
        '2:48: error: ready tcp "localhost": it has no port: write host:port' \
        '3:48: error: ready tcp "[::1]:99999": a port is a number from 1 to 65535' \
        '4:49: error: ready http "https://h/": only http:// is asked: probe https with exec and curl -fsk' \
        '5:49: error: ready http "http://h:p/": a port is a number from 1 to 65535' \
        '6:49: error: ready line "a(": no regular expression: Unmatched ( or \('
}

@test "--json prints each mistake as a line" {
    check '{"tasks": {"a": {"needs": "b"}, "a\u0007\"\\": {}}}' --json
    assert_failure 2
    refute_stderr
    "$PYTHON" - <<END
import json
first, second = (json.loads(line) for line in '''${output//\\/\\\\}'''.splitlines())
assert first == {"severity": "error", "file": "standard input", "line": 1, "column": 27,
    "length": 3, "text": 'task "a" needs "b", which does not exist'}, first
assert second["text"].startswith('"a\\\\x07'), second
END
}

@test "colors where they are asked for" {
    CLICOLOR_FORCE=1 run_ajob check - <<<'{"tasks": {"a": 1}}'
    assert_failure 2
    assert_stderr --partial $'\e[1;31merror:\e[0m what stands'
    assert_stderr --partial $'\e[1;32m^'
}

@test "a spec that cannot be had in memory is a failure, not a crash" {
    EXPECTED_STATUS=' 125 '
    for n in {1..40}; do
        AJOB_FAULT=alloc:$n run_ajob check "$SPECS/good/options.json"
        ((status == 0 || status == 2 || status == 125)) || fail_with_output "with $n"
        ((status == 0)) || assert_stderr --partial memory
    done
}

@test "the manual has every key" {
    "$AJOB" check --schema | grep -o '"[a-z0-9_]*":{"description"' | cut -d '"' -f 2 | grep -vx properties | sort -u |
        while read -r key; do
            grep -qE "^\.It Cm (.* )?$key( |$)|(\"|\\\\\(dq)$key(\"|\\\\\(dq)" "$PROJECT_DIR/man/ajob-spec.5" ||
                fail "man/ajob-spec.5 has no $key"
        done
}

@test "a task that needs one of several finalizers of its group is a cycle" {
    cat >spec.json <<'END'
    {"tasks": {
      "first": {"sh": "true", "when": "failure"},
      "second": {"sh": "true", "when": "always"},
      "before": "true",
      "a": {"sh": "true", "needs": ["second"]},
      "after": "true"
    }}
END
    run_ajob check spec.json
    assert_failure 2
    assert_stderr --partial 'in a cycle: a -> second -> a'
}
