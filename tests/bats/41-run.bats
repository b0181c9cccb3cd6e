# ajob run: a graph of tasks, every kind of them, in the order of their needs.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

spec() { cat >"${1:-spec.json}"; }

# ended [EXPR]: path and status of the tasks that have ended, sorted
ended() { events events "event == 'task.ended' and (${1:-True})" task status | sort; }

cause_of() { events events "event == 'task.ended' and task == '$1'" cause; }

assert_ended() { # "PATH STATUS"...
    assert_equal "$(ended)" "$(printf '%s\n' "$@" | tr ' ' '\t' | sort)"
}

@test "the spec of the manual, from downloads to the clean-up" {
    start_server '{"repos": {"jqlang/jq": {"releases": [{"tag": "jq-1.7.1", "assets": [
        {"name": "jq-linux-amd64", "size": 10, "seed": 3}, {"name": "jq-macos", "size": 10}]}]}}}'
    printf 'hello' >inside
    tar cf archive.tar inside
    spec <<END
    {
      "\$schema": "x", // a comment
      "jobs": 8, "timeout": "20m", "policy": "all",
      "pools": {"db": 1},
      "env": {"CI": "1"},
      "tasks": {
        "src":    {"get": "$MAIN/f/a.tar?size=20K&seed=4", "to": "jq.tar", "sha256": "$(body_sha256 4 20K)"},
        "tools":  {"release": "jqlang/jq", "tag": "jq-1.7.1", "assets": ["*linux-amd64*"], "dir": "bin"},
        "unpack": {"exec": ["cp", "\${src.path}", "copy"], "needs": ["src"]},
        "build":  {"sh": ["set -e", "cp copy built"], "needs": ["unpack"], "timeout": "10m", "retry": 2},
        "db":     {"service": "touch ready; exec sleep 300", "ready": {"file": "ready"}},
        "tests":  {"group": {"unit": "cp built unit",
                             "it":   {"sh": "test -e ready && echo \$CI >it", "needs": ["db"], "pool": "db"}},
                   "needs": ["build"], "policy": "settled"},
        "shards": {"each": ["a", "b", "c"], "do": {"exec": ["touch", "shard-\${item}"]}, "needs": ["build"]},
        "clean":  {"sh": "rm built", "needs": ["tests", "shards"], "when": "always"},
      }
    }
END
    run_ajob run --events events spec.json
    assert_success
    assert_events events
    assert_body unit 4 20K
    assert_equal "$(<it)" 1
    assert_exists shard-a
    assert_exists shard-c
    assert_body bin/jq-1.7.1/jq-linux-amd64 3 10
    refute_exists bin/jq-1.7.1/jq-macos
    refute_exists built
    assert_ended "src succeeded" "tools succeeded" "tools/jq-linux-amd64 succeeded" \
        "unpack succeeded" "build succeeded" "db succeeded" "tests succeeded" \
        "tests/unit succeeded" "tests/it succeeded" "shards succeeded" "shards/1 succeeded" \
        "shards/2 succeeded" "shards/3 succeeded" "clean succeeded"
    assert_equal "$(events events 'event == "run.ended"' counts.succeeded)" 11
}

@test "a diamond runs what both sides need once, and the end after both" {
    spec <<'END'
    {"tasks": {
      "end": {"sh": "echo end >>log", "needs": ["left", "right"]},
      "left": {"sh": "echo side >>log", "needs": ["top"]},
      "right": {"sh": "echo side >>log", "needs": "top"},
      "top": "echo top >>log"
    }}
END
    run_ajob run spec.json
    assert_success
    assert_equal "$(<log)" $'top\nside\nside\nend'
}

@test "what needs a failure is skipped, with the chain as its cause; a finalizer runs" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "a": "exit 3",
      "b": {"sh": "touch b", "needs": ["a"]},
      "c": {"needs": ["b"]},
      "other": "touch other",
      "on-failure": {"sh": "touch failure", "needs": ["a"], "when": "failure"},
      "at-end": {"sh": "touch always", "when": "always"},
      "unneeded": {"sh": "touch never", "needs": ["other"], "when": "failure"}
    }}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_ended "a failed" "b skipped" "c skipped" "other succeeded" "on-failure succeeded" \
        "at-end succeeded" "unneeded skipped"
    assert_equal "$(cause_of a)" "exit 3"
    assert_equal "$(cause_of b)" "a failed: exit 3"
    assert_equal "$(cause_of c)" "b skipped: a failed: exit 3"
    assert_equal "$(ls)" "$(printf '%s\n' always events failure other spec.json)"
    run_ajob run -q --exit-code first spec.json
    assert_failure 3
}

@test "policies: all cancels the siblings, any and race decide, --keep-going goes on" {
    mkfifo latch
    spec all.json <<'END'
    {"tasks": {"a": "read x <latch; exit 1", "b": "echo >latch; exec sleep 300"}}
END
    run_ajob run --events events all.json
    assert_failure 1
    assert_ended "a failed" "b cancelled"
    assert_equal "$(cause_of b)" "cancelled by sibling a"

    spec any.json <<'END'
    {"tasks": {"g": {"group": {"a": "exit 1", "b": "true", "c": "exec sleep 300"}, "policy": "any"},
               "r": {"group": {"a": "exit 4", "b": "exec sleep 300"}, "policy": "race",
                     "allow_failure": true},
               "after": {"sh": "touch after", "needs": ["g", "r"]}}}
END
    run_ajob run -j 8 --events events any.json
    assert_success
    assert_ended "g/a failed" "g/b succeeded" "g/c cancelled" "g succeeded" "r/a failed" \
        "r/b cancelled" "r failed" "after succeeded"

    spec keep.json <<'END'
    {"tasks": {"a": "exit 1", "b": {"needs": ["c"], "sh": "touch b"}, "c": {"sleep": 0.1}}}
END
    run_ajob run -k --events events keep.json
    assert_failure 1
    assert_ended "a failed" "b succeeded" "c succeeded"
}

@test "a failure that is allowed fails nobody, and what needs it runs" {
    spec <<'END'
    {"tasks": {"a": {"sh": "exit 7", "allow_failure": true},
               "b": {"sh": "touch b", "needs": ["a"]}}}
END
    run_ajob run --events events spec.json
    assert_success
    assert_exists b
    assert_ended "a failed" "b succeeded"
    assert_equal "$(events events 'event == "task.ended" and task == "a"' allowed)" True
}

@test "timeouts: of an attempt, of a task, of a group, of the run" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "attempt": {"sh": "exec sleep 300", "attempt_timeout": "50ms", "retry": {"max": 1, "delay": "1ms"}},
      "task": {"sh": "exec sleep 300", "timeout": "50ms"},
      "group": {"group": {"a": "exec sleep 300"}, "timeout": "50ms"},
      "never": {"sh": "touch never", "timeout": 0}
    }}
END
    run_ajob run -j 8 --events events spec.json
    assert_failure 1
    assert_ended "attempt timed_out" "task timed_out" "group timed_out" "group/a cancelled" \
        "never timed_out"
    assert_equal "$(events events 'event == "task.ended" and task == "attempt"' attempts)" 2
    refute_exists never
    spec run.json <<'END'
    {"timeout": "50ms", "tasks": {"a": "exec sleep 300", "end": {"sh": "touch end", "when": "always"}}}
END
    run_ajob run --events events run.json
    assert_failure 124
    assert_ended "a cancelled" "end succeeded"
    run_ajob run --timeout 1m --exec ok=true run.json ok # the option holds, not the spec
    assert_success
}

@test "retries: a task's own, those of -r for who does not say" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "own": {"sh": "echo >>own; [ $(wc -l <own) = 3 ]", "retry": {"max": 2, "delay": "1ms"}},
      "none": {"sh": "echo >>none; exit 1", "retry": 0},
      "default": {"sh": "echo >>default; [ $(wc -l <default) = 2 ]"},
      "on": {"sh": "echo >>on; exit 9", "retry": {"max": 3, "delay": "1ms", "on": [8]}},
      "group": {"group": {"a": {"sh": "echo >>in; [ $(wc -l <in) = 2 ]", "retry": 0}},
                "retry": {"max": 1, "delay": "1ms"}}
    }}
END
    run_ajob run -r 1 --retry-delay 1ms --events events spec.json
    assert_failure 1
    assert_ended "own succeeded" "none failed" "default succeeded" "on failed" "group/a failed" \
        "group/a succeeded" "group succeeded"
    assert_equal "$(wc -l <none)" 1
    assert_equal "$(wc -l <on)" 1
}

@test "pools, limits and jobs: so many at once and no more" {
    # Each writes a line when it begins and when it ends.
    cat >work <<'END'
echo + >>"$1"; sleep 0.05; echo - >>"$1"
END
    spec <<'END'
    {"pools": {"one": 1, "two": 2}, "tasks": {
      "one": {"each": {"from": 1, "to": 4}, "do": {"exec": ["sh", "work", "one"], "pool": "one"}},
      "two": {"each": {"from": 1, "to": 3}, "do": {"exec": ["sh", "work", "whole"], "pool": {"two": 2}}},
      "limit": {"group": {"a": "sh work limit", "b": "sh work limit", "c": "sh work limit"}, "limit": 1}
    }}
END
    run_ajob run -j 16 spec.json
    assert_success
    local name
    for name in one whole limit; do
        assert_equal "$(sort <$name | uniq -c | tr -d ' \n')" "$(wc -l <$name | awk '{print $1/2 "+" $1/2 "-"}')"
        [[ $(tr -d '\n' <$name) =~ ^(\+-)+$ ]] || fail "$name: $(tr -d '\n' <$name)"
    done
    spec jobs.json <<'END'
    {"jobs": 1, "tasks": {"a": "sh work jobs", "b": "sh work jobs", "c": "sh work jobs"}}
END
    run_ajob run jobs.json
    assert_success
    [[ $(tr -d '\n' <jobs) =~ ^(\+-)+$ ]] || fail "$(tr -d '\n' <jobs)"
}

@test "environment and directories go down; what is nearer wins; null removes" {
    mkdir -p sub/deep
    spec <<'END'
    {"env": {"A": "top", "B": "top", "C": "top"}, "tasks": {
      "g": {"env": {"B": "group", "C": "group", "GONE": null}, "dir": "sub", "group": {
        "t": {"sh": "echo $A $B $C ${GONE-gone} >t; cat", "env": {"C": "task"}, "dir": "deep", "stdin": "in"},
        "h": {"group": {"x": "pwd >x"}}}}
    }}
END
    echo input >sub/deep/in
    GONE=here run_ajob run spec.json
    assert_success
    assert_equal "$(<sub/deep/t)" "top group task gone"
    assert_equal "$(<sub/x)" "$PWD/sub"
    mkdir elsewhere && mv sub elsewhere && rm elsewhere/sub/x
    run_ajob run -d elsewhere spec.json
    assert_success
    assert_equal "$(<elsewhere/sub/x)" "$PWD/elsewhere/sub"
}

@test "what a task printed as another's standard input" {
    spec <<'END'
    {"tasks": {"a": {"exec": ["printf", "x\\000y\n"]},
               "b": {"sh": "cat >b", "stdin": {"task": "a"}}}}
END
    run_ajob run spec.json
    assert_success
    assert_equal "$(od -An -c b | tr -d ' ')" 'x\0y\n'
}

@test "Ctrl-C cancels, finalizers run, and ajob dies of it" {
    spec <<'END'
    {"tasks": {
      "a": "echo >started; exec sleep 300",
      "b": {"sh": "touch b", "needs": ["a"]},
      "end": {"sh": "touch end", "needs": ["b"], "when": "always"},
      "failure": {"sh": "touch failure", "when": "failure"},
      "db": {"service": "trap 'touch stopped; exit' TERM; touch up; while :; do sleep 0.05; done",
             "ready": {"file": "up"}}
    }}
END
    expect_status 130
    start_ajob run -j 4 --events events spec.json
    wait_until 60 test -e started
    wait_until 60 test -e up
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_exists end
    assert_exists failure
    assert_exists stopped
    refute_exists b
    assert_ended "a cancelled" "b cancelled" "db cancelled" "end succeeded" "failure succeeded"
    assert_equal "$(events events 'event == "run.ended"' status)" cancelled
}

@test "chosen tasks run with all that they need, and once if named twice" {
    spec <<'END'
    {"tasks": {
      "a": "echo a >>log", "b": {"sh": "echo b >>log", "needs": ["a"]}, "c": "echo c >>log",
      "g": {"needs": ["a"], "group": {"x": "echo x >>log", "y": "echo y >>log"}}
    }}
END
    run_ajob run spec.json b b
    assert_success
    assert_equal "$(<log)" $'a\nb'
    rm log
    run_ajob run --events events spec.json g/x
    assert_success
    assert_equal "$(<log)" $'a\nx'
    assert_ended "a succeeded" "g/x succeeded" "g succeeded"
    run_ajob run spec.json nobody
    assert_failure 2
    assert_stderr --partial nobody
}

@test "a graph from arguments, from standard input, and an empty one" {
    start_server
    run_ajob run --exec 'build:file=cat file >built' --exec test:build,data='cat data built >tested' \
        --get "data=$MAIN/f/data?size=5&seed=7" --exec 'file=printf x >file'
    assert_success
    assert_equal "$(tail -c 1 tested)" x
    run_ajob run - <<<'{"tasks": {"a": "touch from-stdin", "empty": {"group": {}}}}'
    assert_success
    assert_exists from-stdin
    run_ajob run - <<<'{"tasks": {}}'
    assert_success
    run_ajob run
    assert_failure 2
    assert_stderr --partial "no spec given"
}

@test "a wrong spec starts nothing; neither does --dry-run" {
    spec <<'END'
    {"tasks": {"a": "touch a", "b": {"sh": "touch b", "needs": ["missing"], "timout": 1}}}
END
    run_ajob run --events events spec.json
    assert_failure 2
    assert_stderr --partial 'spec.json:1:'
    assert_stderr --partial 'timout'
    assert_stderr --partial 'missing'
    assert_equal "$(ls)" spec.json
    spec right.json <<'END'
    {"tasks": {"b": {"sh": "touch b", "needs": ["a"]}, "a": "touch a"}}
END
    run_ajob run -n --events events right.json
    assert_success
    [[ $output == *a*$'\n'*b* ]] || fail "$output"
    assert_equal "$(tree .)" $'right.json\nspec.json'
    run_ajob run --events nowhere/events right.json
    assert_failure 2
    refute_exists a
    run_ajob run -d nowhere right.json
    assert_failure 2
    assert_stderr "ajob: run: --dir: nowhere: No such file or directory"
}

@test "releases: the latest and all of them are groups of their own, that others can need" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v2", "assets": [{"name": "a", "size": 3, "seed": 1}]},
        {"tag": "v1", "assets": [{"name": "b", "size": 3, "seed": 2}]}]}}}'
    spec <<'END'
    {"tasks": {
      "latest": {"release": "o/r", "dir": "latest"},
      "all": {"release": "o/r", "all": true, "dir": "all", "flat": true},
      "tag": {"exec": ["echo", "v1"]},
      "late": {"release": "o/r", "tag": "${tag.stdout}", "dir": "late"},
      "none": {"release": "o/r", "tag": "v9", "allow_failure": true},
      "after": {"sh": "cat latest/v2/a all/a all/b late/v1/b >after", "needs": ["latest", "all", "late"]}
    }}
END
    run_ajob run --events events spec.json
    assert_success
    assert_equal "$(wc -c <after)" 12
    assert_equal "$(ended 'task.split("/")[0] == "latest"')" $'latest\tsucceeded\nlatest/latest\tsucceeded\nlatest/v2\tsucceeded\nlatest/v2/a\tsucceeded'
    assert_equal "$(cause_of none)" "o/r: release v9: not found; there are v2, v1"
}

@test "a download keeps to its task's headers, directory and digest" {
    start_server
    spec <<END
    {"policy": "settled", "tasks": {
      "a": {"get": "$MAIN/f/name?size=4&seed=1", "headers": {"X-One": "\${var.one}"}, "dir": "new/dir"},
      "b": {"get": "$MAIN/f/b?size=4&seed=1", "sha256": "$(body_sha256 2 4)", "retry": 0},
      "c": {"exec": ["cat", "\${a.path}"], "needs": ["a"]}
    }}
END
    run_ajob run --set one=1 -H 'X-Two: 2' --events events spec.json
    assert_failure 1
    assert_body new/dir/name 1 4
    assert_equal "$(requests '/f/name' headers.x-one headers.x-two)" $'1\t2'
    assert_equal "$(ended)" $'a\tsucceeded\nb\tfailed\nc\tsucceeded'
}

@test "what tasks print goes where --output says, under their paths" {
    spec <<'END'
    {"tasks": {"g": {"group": {"a": "echo out; echo err >&2"}},
               "e": {"each": ["x"], "do": {"exec": ["echo", "${item}"]}, "needs": ["g"]}}}
END
    run_ajob run -q --output prefix --log-dir logs --events events --events-output spec.json
    assert_success
    assert_output $'[g/a] out\n[e/1] x'
    assert_stderr '[g/a] err'
    assert_tree logs g/a.log e/1.log
    assert_equal "$(events events 'event == "task.output"' task stream text | sort | grep .)" \
        $'e/1\tstdout\tx\ng/a\tstderr\terr\ng/a\tstdout\tout'
}

@test "another attempt of a group has its release and its late values anew" {
    start_server '{"repos": {"o/r": {"releases": [
        {"tag": "v1", "assets": [{"name": "a", "size": 3, "seed": 1}, {"name": "b", "size": 3, "seed": 2}]}]}}}'
    spec <<'END'
    {"tasks": {"g": {"retry": {"max": 1, "delay": "1ms"}, "group": {
      "tag": {"release": "o/r", "tag": "v1", "dir": "tag"},
      "latest": {"release": "o/r", "dir": "latest"},
      "v": {"exec": ["printf", "v1"]},
      "late": {"release": "o/r", "tag": "${v.stdout}", "dir": "late"},
      "s": {"service": "echo >>served; exec sleep 300", "ready": {"exec": ["test", "-e", "served"]}},
      "f": {"sh": "[ -e second ] || { touch second; exit 1; }", "needs": ["tag", "latest", "late", "s"]}}}}}
END
    run_ajob run --events events spec.json
    assert_success
    assert_tree . events spec.json second served tag/v1/a tag/v1/b latest/v1/a latest/v1/b late/v1/a late/v1/b
    assert_equal "$(events events 'event == "task.ended" and task.startswith("g/") and status not in ("succeeded", "cancelled")' task)" g/f
    assert_equal "$(ended 'task.startswith("g/late/")' | sort -u)" \
        "$(printf 'g/late%s\tsucceeded\n' /v1 /v1/a /v1/b)"
    assert_equal "$(wc -l <served)" 2
}

@test "100,000 joins" {
    "$PYTHON" - >spec.json <<'END'
import json
print(json.dumps({"tasks": {f"t{i}": {"needs": [f"t{i // 2}", f"t{i // 3}"] if i > 1 else []} for i in range(100000)}}))
END
    run_ajob run -q --events events spec.json
    assert_success
    assert_equal "$(tail -n 1 events | grep -o '"succeeded":[0-9]*')" '"succeeded":100000'
}
