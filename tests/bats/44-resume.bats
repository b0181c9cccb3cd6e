# ajob run --resume: what an earlier run has done is not done again.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

spec() { cat >"${1:-spec.json}"; }

ran() { sort ran 2>/dev/null | tr '\n' ' '; }

resumed() { events events "event == 'task.ended' and resumed" task | sort | tr '\n' ' '; }

# A task NAME that writes its name; with a file fail-NAME it fails.
task() { # NAME [MORE]
    printf '"%s": {"sh": "echo %s >>ran; [ ! -e fail-%s ]"%s}' "$1" "$1" "$1" "${2:+, $2}"
}

@test "after a failure: what had succeeded is done, the rest runs" {
    spec <<END
    {"policy": "settled", "tasks": {$(task a), $(task b '"needs": ["a"]'), $(task c '"needs": ["b"]'), $(task d),
      "end": {"sh": "echo end >>ran", "when": "always"}, "join": {"needs": ["a"]}}}
END
    touch fail-b
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(ran)" "a b d end "
    rm fail-b ran
    run_ajob run -v --resume events --events events spec.json
    assert_success
    assert_stderr --partial "before a"
    assert_equal "$(ran)" "b c end "
    assert_equal "$(resumed)" "a d "
    rm ran
    run_ajob run --resume events --events other spec.json
    assert_success
    assert_equal "$(ran)" "end "
    mv other events # what was done before that is known from it alone
    assert_events events
    rm ran
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "end "
    assert_equal "$(resumed)" "a a b b c c d d "
}

@test "after a change: what is defined otherwise, and all that needs it, runs again" {
    local parts='"env": {"E": "1"}, "policy": "settled"' rest
    rest="$(task b '"needs": ["a"]'), \"g\": {\"group\": {$(task x)}, \"needs\": [\"a\"]}, $(task other)"
    spec <<<"{$parts, \"tasks\": {$(task a), $rest}}"
    run_ajob run --events first spec.json
    assert_success

    # Not in a key: the order, options that say when and how often, white space, names of groups.
    rm ran
    spec <<<"{$parts, \"jobs\": 1, \"timeout\": \"1h\", \"tasks\": {$(task other '"timeout": "1m", "retry": 1'), \"h\": {\"group\": {$(task x)}, \"needs\": [\"a\"]}, $(task b '"needs": ["a"]'), $(task a)}}"
    run_ajob run --resume first spec.json
    assert_success
    assert_equal "$(ran)" ""

    # A script, and so those that need it; in a group that does, too.
    spec <<<"{$parts, \"tasks\": {\"a\": \"echo changed >>ran\", $rest}}"
    run_ajob run --resume first spec.json
    assert_success
    assert_equal "$(ran)" "b changed x "

    # The environment of all, a directory, a need that is new.
    rm ran
    spec <<<"{${parts/1/2}, \"tasks\": {$(task a), $rest}}"
    run_ajob run --resume first spec.json
    assert_equal "$(ran)" "a b other x "
    rm ran
    spec <<<"{$parts, \"tasks\": {$(task a), $(task b '"needs": ["a"], "dir": "."'), $(task other '"needs": ["a"]')}}"
    run_ajob run --resume first spec.json
    assert_equal "$(ran)" "b other "
}

@test "variables and the environment are of a task that uses them" {
    spec <<'END'
    {"tasks": {"v": {"exec": ["sh", "-c", "echo $0 >>ran", "v${var.v}"]},
               "e": {"exec": ["sh", "-c", "echo $0 >>ran", "e${env.E}"]}}}
END
    E=1 run_ajob run --set v=1 --events events spec.json
    assert_success
    E=2 run_ajob run --set v=1 --resume events --events events spec.json
    assert_equal "$(ran)" "e1 e2 v1 "
    E=1 run_ajob run --set v=2 --resume events --events events spec.json
    assert_equal "$(ran)" "e1 e2 v1 v2 "
    E=2 run_ajob run --set v=2 --resume events --events events spec.json
    assert_equal "$(ran)" "e1 e2 v1 v2 "
}

@test "one whose output is used by what runs runs again" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "a": "echo a >>ran; echo 1",
      "b": {"sh": "echo b >>ran; echo $V", "env": {"V": "${a.stdout}"}},
      "c": {"sh": "echo c$V >>ran; [ -e ok ]", "env": {"V": "${b.stdout}"}},
      "x": "echo x >>ran; echo x",
      "y": {"sh": "cat >>ran", "stdin": {"task": "x"}},
      "z": {"sh": "echo z$V >>ran", "env": {"V": "${x.exit}"}}
    }}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(ran)" "a b c1 x x z0 "
    rm ran && touch ok
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "a b c1 "
    assert_equal "$(resumed)" "x y z "
}

@test "items of an each, by what they are and not by their number" {
    spec <<'END'
    {"tasks": {"e": {"each": ["a", "b", "b", "c"], "policy": "settled",
                     "do": {"sh": "echo $I >>ran; [ $I != b ] || mkdir once", "env": {"I": "${item}"}}}}}
END
    run_ajob run -j 1 --events events spec.json
    assert_failure 1
    assert_equal "$(ran)" "a b b c "
    rm -r ran once
    sed -i 's/\["a", "b", "b", "c"\]/["c", "new", "b", "a", "b"]/' spec.json
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "b new " # one of the two that are alike was done
}

@test "in an item, too, one whose output is used by what runs runs again, and no other" {
    spec <<'END'
    {"tasks": {
      "base": "echo base >>ran; echo B",
      "e": {"each": ["1", "2"], "policy": "settled", "do": {"group": {
        "x": {"sh": "echo x$I >>ran; echo X", "env": {"I": "${item}"}},
        "y": {"sh": "echo y$I$V >>ran; [ $I != 2 ] || [ -e ok ]", "env": {"I": "${item}", "V": "${x.stdout}"}, "needs": ["m"]},
        "z": {"sh": "echo z$I >>ran", "env": {"I": "${item}"}, "needs": ["y"]},
        "l": {"sh": "echo l$I >>ran; echo a", "env": {"I": "${item}"}},
        "m": {"each": {"lines": "l"}, "do": {"sh": "echo m$I >>ran", "env": {"I": "${item}"}}}}}},
      "f": {"each": ["1"], "do": {"sh": "echo f$V >>ran", "env": {"V": "${base.stdout}"}}}
    }}
END
    run_ajob run -k --events events spec.json
    assert_failure 1
    assert_equal "$(ran)" "base fB l1 l2 ma ma x1 x2 y1X y2X z1 "
    rm ran && touch ok
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "base x2 y2X z2 " # seen from outside, f may run
}

@test "lines: a whole each is done with what prints them; else item by item" {
    spec <<'END'
    {"tasks": {"l": "echo l >>ran; echo 1; echo 2; echo 3",
               "e": {"each": {"lines": "l"}, "policy": "settled", "do": {"group": {
                  "x": {"sh": "echo x$I >>ran; [ $I != 2 ] || [ -e ok ]", "env": {"I": "${item}"}},
                  "y": {"sh": "echo y$I >>ran", "env": {"I": "${item}"}, "needs": ["x"]}}}}}}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(ran)" "l x1 x2 x3 y1 y3 "
    rm ran && touch ok
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "l x2 y2 "
    rm ran
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" ""
}

@test "allowed failures, services and finalizers are not done; downloads look for themselves" {
    start_server
    spec <<END
    {"tasks": {
      "may": {"sh": "echo may >>ran; exit 1", "allow_failure": true},
      "s": {"service": "echo s >>ran; touch up; exec sleep 300", "ready": {"file": "up"}},
      "f": {"sh": "echo f >>ran", "when": "always", "needs": ["may"]},
      "g": {"get": "$MAIN/f/g?size=5&seed=1"},
      "u": {"sh": "echo u >>ran", "needs": ["g", "s"]}
    }}
END
    run_ajob run --events events spec.json
    assert_success
    assert_equal "$(ran)" "f may s u "
    rm ran g up
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "f may s "
    assert_body g 1 5
}

@test "after SIGKILL: what was written so far counts, a line that was cut does not" {
    mkfifo latch
    spec <<'END'
    {"tasks": {"a": "echo a >>ran", "b": {"sh": "echo b >>ran; exec cat latch", "needs": ["a"]}}}
END
    expect_status 137
    start_ajob run --events events spec.json
    written() { grep -qs '"task.started","task":"b"' events; }
    wait_until 60 written
    kill -KILL "$AJOB_PID"
    wait_ajob
    wait_until 60 no_test_processes
    printf '{"time":"2026-01-01T00:00:00.000000Z","seq":99,"event":"task.en' >>events
    rm latch && echo done >latch
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "a b b "
    run_ajob run --resume events --events events spec.json # the cut line is in nobody's way
    assert_success
    assert_equal "$(ran)" "a b b "
}

@test "no events to resume from: a file that is none, or is not there" {
    spec <<<'{"tasks": {"a": "touch a"}}'
    run_ajob run --resume spec.json spec.json
    assert_failure 2
    assert_stderr --partial "--resume: spec.json: line 1 is no event of a run"
    run_ajob run --resume missing --events other spec.json
    assert_failure 2
    assert_stderr --partial "missing"
    assert_equal "$(ls)" spec.json
    printf '{"event":"run.started"}\n\n{"event":\n{"event":"run.ended"}\n' >garbage
    run_ajob run --resume garbage spec.json
    assert_failure 2
    assert_stderr --partial "garbage: line 3 is no event"
    run_ajob run --resume missing --events missing spec.json
    assert_success
    assert_exists a
}

@test "another way to the same file, or how it comes, changes nothing; another file does" {
    start_server
    spec() { # KEYS
        printf '{"tasks": {"get": {"get": "%s", "to": "a"%s}, "use": {"sh": "echo use >>ran", "needs": "get"}}}' \
            "$MAIN/f/a?size=10&seed=$1" "$2" >spec.json
    }
    spec 1 ''
    run_ajob run --events events spec.json
    assert_success
    spec 1 ', "mirrors": "http://127.0.0.1:1/a", "segments": 4, "fsync": true'
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "use "
    spec 2 ''
    run_ajob run --resume events --events events spec.json
    assert_success
    assert_equal "$(ran)" "use use "
    rm a ran spec.json events
}
