# A graph from arguments: ajob run --exec NAME:NEED,...=COMMAND --get NAME=URL.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# seq WHAT TASK: when in the events the task started, ended
seq() { events events "event == 'task.$1' and task == '$2'" seq; }

@test "commands and downloads run, each after what it needs, in whatever order they are given" {
    start_server
    run_ajob run --exec pack:test,data='cat order a >packed' --exec test:build='echo test >>order' \
        --exec build='echo build >>order' --get data="$MAIN/f/a?size=1K&seed=1" --events events
    assert_success
    assert_equal "$(cat order)" $'build\ntest'
    assert_body a 1 1K
    cat order a | cmp - packed
    assert_events events
    (($(seq started test) > $(seq ended build)))
    (($(seq started pack) > $(seq ended test)))
    (($(seq started pack) > $(seq ended data)))
    assert_equal "$(events events 'event == "run.ended"' counts.succeeded)" 4
}

@test "what does not need each other runs at the same time" {
    mkfifo here there
    run_ajob run -j 2 --exec a='echo 1 >here && read -r _ <there' --exec b='read -r _ <here && echo 2 >there'
    assert_success
}

@test "what needs a failure is skipped, and says why" {
    run_ajob run --exec c:b='touch c' --exec b:a='touch b' --exec a='exit 3' --events events
    assert_failure 1
    refute_output
    assert_tree . events
    assert_equal "$(events events 'event == "task.ended"' task status cause | sort)" "\
a	failed	exit 3
b	skipped	a failed: exit 3
c	skipped	b skipped: a failed: exit 3"
    assert_stderr --partial 'ajob: run: a: exit 3'
}

@test "a failure stops the others; with -k they go on" {
    mkfifo never
    run_ajob run --exec a='exit 3' --exec b='read -r _ <never' --events events
    assert_failure 1
    assert_equal "$(events events 'event == "task.ended" and task == "b"' status cause)" $'cancelled\tcancelled by sibling a'
    run_ajob run -k --exec a='exit 3' --exec b='touch b'
    assert_failure 1
    assert_exists b
}

@test "operands choose tasks" {
    run_ajob run --exec a='touch a' --exec b:a='touch b' --exec c='touch c' b
    assert_success
    assert_tree . a b
    run_ajob run --exec a='touch d' nothing
    assert_failure 2
    assert_stderr 'ajob: run: nothing: there is no such task'
    refute_exists d
}

@test "a spec and arguments: tasks of both need each other" {
    echo '{"tasks": {"build": {"sh": "echo build >>order", "dir": "."}}}' >ci.json
    run_ajob run ci.json --exec test:build='echo test >>order'
    assert_success
    assert_equal "$(<order)" $'build\ntest'
    run_ajob run - --exec more:build='echo more >>order' <ci.json
    assert_success
    assert_equal "$(<order)" $'build\ntest\nbuild\nmore'
}

@test "a command is a script of the shell; nothing is replaced in it" {
    # shellcheck disable=SC2016 # for the command
    x=of-env run_ajob run --exec a='printf "%s|%s" "${x}" "$((1 + 1))" | tr a-z A-Z >out'
    assert_success
    assert_equal "$(<out)" 'OF-ENV|2'
}

@test "a URL may use what a command printed" {
    start_server
    # shellcheck disable=SC2016 # for ajob
    run_ajob run --get file="$MAIN"'/f/${name.stdout}?size=10&seed=2' --exec name='echo it'
    assert_success
    assert_body it 2 10
}

@test "-n prints what would run, in order, and runs nothing" {
    run_ajob run -n --exec test:build='touch test' --exec build='touch build' --get data:test=https://u:secret@h/x?secret
    assert_success
    assert_output "\
build  sh: touch build
test   sh: touch test
data   get: https://h/x"
    assert_tree .
}

@test "mistakes in arguments start nothing" {
    run_ajob run --exec a='touch a' --exec b:nothing='touch b' --exec c --events events
    assert_failure 2
    refute_output
    assert_stderr --partial 'b:nothing: error: task "b" needs "nothing", which does not exist'
    assert_stderr --partial 'c: error: a task has no value'
    assert_tree .
    run_ajob run --exec a:b='touch a' --exec b:a='touch b'
    assert_failure 2
    assert_stderr --partial cycle
    assert_tree .
}

@test "a task that there is not: the nearest one is named by its path" {
    echo '{"tasks": {"tests": {"group": {"unit": "true", "it": "true"}}, "build": "true"}}' >ci.json
    run_ajob run ci.json tests/unt
    assert_failure 2
    assert_stderr 'ajob: run: tests/unt: there is no such task; did you mean tests/unit?'
    run_ajob run ci.json biuld
    assert_failure 2
    assert_stderr 'ajob: run: biuld: there is no such task; did you mean build?'
    run_ajob run ci.json elsewhere
    assert_stderr 'ajob: run: elsewhere: there is no such task'
    rm ci.json
}
