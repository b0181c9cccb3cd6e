# ajob graph: what a spec looks like, as a tree, DOT, Mermaid and JSON, from a file,
# from standard input and from arguments.

load ../helpers

setup() {
    common_setup
    cat >ci.json <<'END'
{
  "jobs": 8, "timeout": "20m", "pools": {"db": 1},
  "tasks": {
    "src": {"get": "https://me:secret@example.org/jq.tgz?token=secret", "to": "jq.tgz"},
    "unpack": {"exec": ["tar", "xf", "${src.path}"]},
    "build": {
      "description": "Compile it", "sh": ["# the compiler", "cd jq", "make"],
      "needs": ["unpack"], "timeout": "10m", "retry": 2
    },
    "db": {"service": ["postgres", "-D", "my data"], "ready": {"tcp": "127.0.0.1:5432"}},
    "tests": {
      "group": {"unit": "make unit", "it": {"sh": "make it", "needs": ["db"], "pool": "db"}},
      "needs": ["build"], "policy": "settled"
    },
    "shards": {"each": ["a", "b", "c"], "do": {"exec": ["./shard", "${item}"]}, "needs": ["build"]},
    "clean": {"sh": "rm -rf scratch", "needs": ["tests"], "when": "always"}
  }
}
END
}
teardown() { common_teardown; }

# json EXPR: of what was printed, with `nodes` by id and `edges` as "FROM-TO"
json() {
    "$PYTHON" -c '
import json, sys
graph = json.load(open(sys.argv[1]))
nodes = {node["id"]: node for node in graph["nodes"]}
edges = [edge["from"] + "-" + edge["to"] for edge in graph["edges"]]
value = eval(sys.argv[2])
print(*value) if isinstance(value, list) else print(value)' "$AJOB_OUT" "$1"
}

# on_terminal COLUMNS ARG...: ajob on a terminal of that width; sets lines
on_terminal() {
    "$PYTHON" -c '
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
try:
    while text := os.read(terminal, 65536):
        sys.stdout.buffer.write(text.replace(b"\r\n", b"\n"))
except OSError:  # the end, on Linux
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$1" "$AJOB" "${@:2}" >"$AJOB_OUT" 3>&-
    output=$(<"$AJOB_OUT")
    mapfile -t lines <"$AJOB_OUT"
}

@test "text: a tree of groups, what tasks do, what they need, their options" {
    run_ajob graph ci.json
    assert_success
    refute_stderr
    assert_output "8 tasks, jobs 8, timeout 20m, pools: db 1
|-- src     get: https://example.org/jq.tgz -> jq.tgz
|-- unpack  exec: tar xf \${src.path}
|           needs: src
|-- build   sh: cd jq ...
|           Compile it
|           needs: unpack; timeout 10m, retry 2
|-- db      service: postgres -D 'my data'
|           ready by tcp 127.0.0.1:5432
|-- tests   group: 2 tasks
|   |       needs: build; policy settled
|   |-- unit  sh: make unit
|   \`-- it    sh: make it
|             needs: db; pool db
|-- shards  each: 3 items: a, b, c
|   |       needs: build
|   \`-- do  exec: ./shard \${item}
\`-- clean   sh: rm -rf scratch
            needs: tests; when always"
    assert_tree . ci.json
}

@test "text: lines are drawn where the locale has UTF-8, and cut to the terminal's width" {
    LC_ALL=C.UTF-8 run_ajob graph ci.json
    assert_success
    assert_output --partial $'\n│   └── it    sh: make it\n│             needs: db; pool db\n├── shards'
    LC_ALL=C.UTF-8 on_terminal 40 graph ci.json
    assert_line '├── src     get: https://example.org/jq…'
    assert_line '├── build   sh: cd jq ...'
    LC_ALL=C on_terminal 40 graph ci.json
    assert_line '|-- src     get: https://example.org/...'
}

@test "only the tasks asked for and what they need" {
    run_ajob graph ci.json tests/it
    assert_success
    assert_output --partial '-- it'
    assert_output --partial '-- src' # through unpack and build, which the group needs
    refute_output --partial '-- unit'
    refute_output --partial '-- clean'
    for format in dot mermaid json; do
        run_ajob graph --format "$format" ci.json unpack
        assert_success
        assert_output --partial src
        refute_output --partial build
    done
    run_ajob graph ci.json tests/itt
    assert_failure 2
    refute_output
    assert_stderr --partial 'tests/itt: there is no such task'
}

@test "json: all nodes and edges, with what is said of them" {
    run_ajob graph --format json ci.json
    assert_success
    assert_equal "$(json 'sorted(nodes)')" 'build clean db shards shards/do src tests tests/it tests/unit unpack'
    assert_equal "$(json 'edges')" 'src-unpack unpack-build build-tests db-tests/it build-shards tests-clean'
    assert_equal "$(json '[e["after"] for e in graph["edges"]]')" 'end end end ready end end'
    assert_equal "$(json 'graph["schema"], graph["policy"], graph["jobs"], graph["timeout"], graph["pools"]')" \
        "(1, 'all', 8, 1200, {'db': 1})"
    assert_equal "$(json 'nodes["build"]')" \
        "{'id': 'build', 'group': None, 'kind': 'sh', 'what': 'cd jq ...', 'description': 'Compile it', 'timeout': 600, 'retry': 2}"
    assert_equal "$(json 'nodes["tests/it"]')" \
        "{'id': 'tests/it', 'group': 'tests', 'kind': 'sh', 'what': 'make it', 'pools': {'db': 1}}"
    assert_equal "$(json 'nodes["db"]["ready"], nodes["shards"]["items"], nodes["clean"]["when"]')" \
        "('tcp 127.0.0.1:5432', 3, 'always')"
}

@test "dot and mermaid: clusters, nodes, edges" {
    run_ajob graph --format dot ci.json
    assert_success
    assert_line 'digraph ajob {'
    assert_line '  subgraph "cluster_tests" {'
    assert_output --partial '"tests/it" [label="it\nsh: make it\npool db", '
    assert_output --partial '"build" -> "tests/unit" [lhead="cluster_tests"];'
    assert_output --partial '"db" -> "tests/it" [style=dashed, label="ready"];'
    if command -v dot >/dev/null; then
        dot -Tsvg "$AJOB_OUT" >/dev/null
    fi
    run_ajob graph --format mermaid ci.json
    assert_success
    assert_equal "${lines[0]}" 'flowchart TD'
    assert_line '  subgraph n4["tests<br/>group#58; 2 tasks<br/>policy settled"]'
    assert_line '  n3 -.->|ready| n6'
}

@test "no format shows the secrets of a URL or passes on what acts on a terminal" {
    # shellcheck disable=SC2016 # for ajob
    printf '{"tasks": {"a": {"get": "https://u:secret@h/?secret"}, "b": {"sh": "x\\u001b[2J\\u202e", "description": "\\u0007"},
        "c": {"get": "https://u:secret@${env.HOST}/?secret"}}}' >evil.json
    for format in text dot mermaid json; do
        LC_ALL=C.UTF-8 run_ajob graph --format "$format" evil.json
        assert_success
        refute_output --partial secret
        refute_output --partial $'\e'
        refute_output --partial $'\a'
    done
}

@test "a spec that is wrong is not drawn: its mistakes are told" {
    printf '{"tasks": {\n"a": {"sh": "x", "needs": ["b"]},\n"c": {"sh": "x", "timout": 1}}}' >wrong.json
    for format in text json; do
        run_ajob graph --format "$format" wrong.json
        assert_failure 2
        refute_output
        assert_stderr --partial 'wrong.json:2:28: error: task "a" needs "b", which does not exist'
        assert_stderr --partial 'wrong.json:3:18: error: unknown key "timout" in task "c"; did you mean "timeout"?'
    done
    run_ajob graph nowhere.json
    assert_failure 2
    assert_stderr 'ajob: graph: nowhere.json: cannot be read: No such file or directory'
    run_ajob graph
    assert_failure 2
    assert_stderr 'ajob: graph: no spec given: use ajob graph SPEC.json, or --exec NAME=COMMAND'
}

@test "- is standard input" {
    run_ajob graph - clean <ci.json
    assert_success
    assert_output --partial '-- clean'
    refute_output --partial shards
}

@test "--set gives variables their values" {
    # shellcheck disable=SC2016 # for ajob
    echo '{"tasks": {"a": {"exec": ["echo", "${var.x}"]}}}' >var.json
    run_ajob graph --set x=1 var.json
    assert_success
    assert_output --partial "exec: echo \${var.x}"
    run_ajob graph var.json
    assert_failure 2
    assert_stderr --partial var.x
    run_ajob graph --set x var.json
    assert_failure 2
    assert_stderr 'ajob: graph: --set: x: has no value: use NAME=VALUE'
}

@test "a graph from arguments, in any order, with tasks and with a spec" {
    run_ajob graph --exec test:build,data='make check' --exec build=make --get data=https://h/x?a=b
    assert_success
    refute_stderr
    assert_output '3 tasks
|-- test   sh: make check
|          needs: build, data
|-- build  sh: make
`-- data   get: https://h/x'
    run_ajob graph --exec test:build='make check' --exec build=make --exec other=x build
    assert_success
    assert_output '1 task
`-- build  sh: make'
    run_ajob graph ci.json --exec more:build=x more
    assert_success
    assert_output --partial '-- unpack'
    assert_output --partial '-- more    sh: x'
    refute_output --partial tests
    run_ajob graph --exec more:build=x - <ci.json
    assert_success
    assert_output --partial '-- more    sh: x'
    run_ajob graph --exec ':)=x' nothing.json
    assert_failure 2
    assert_stderr --partial 'nothing.json: cannot be read'
}

@test "every mistake in arguments is told, with the argument" {
    run_ajob graph --exec build --exec =x --exec '-a=x' --exec 'b:=x' --exec 'c:d/e,c=x' --exec 'e= ' \
        --exec f=x --exec f=y --get 'g=ftp://h/' --exec 'h:build=x' --exec $'i\e:f=x' --get 'https://h/'
    assert_failure 2
    refute_output
    assert_stderr "\
build: error: a task has no value; write NAME=VALUE or NAME:NEED,NEED=VALUE
=x: error: the name of a task is missing; write NAME=VALUE or NAME:NEED,NEED=VALUE
-a: error: \"-a\" is no name of a task; letters, digits, '_', '-' and '.' make one; it begins with a letter, digit or '_'
b:: error: the name of a task is missing; write NAME=VALUE or NAME:NEED,NEED=VALUE
c:d/e,c: error: \"d/e\" is no name of a task; letters, digits, '_', '-' and '.' make one; it begins with a letter, digit or '_'
e: error: task \"e\" has an empty value; write NAME=COMMAND
f: error: task \"f\" is defined twice
f: note: here is the first one
i\\x1b:f: error: \"i\\x1b\" is no name of a task; letters, digits, '_', '-' and '.' make one; it begins with a letter, digit or '_'
g: error: the URL of task \"g\": only http:// and https:// are spoken
https://h/: error: a task has no value; write NAME=VALUE or NAME:NEED,NEED=VALUE
h:build: error: task \"h\" needs \"build\", which does not exist
c:d/e,c: error: tasks wait for each other in a cycle: c -> c"
    echo '{"tasks": {"f": "x"}}' >f.json
    run_ajob graph f.json --exec f=y
    assert_failure 2
    assert_stderr --partial $'f: error: task "f" is defined twice\nf.json:1:12: note: here is the first one'
}

@test "a cycle through arguments is an error" {
    run_ajob graph --exec a:b=x --exec b:a=x
    assert_failure 2
    assert_stderr --partial 'cycle'
}

@test "a hundred thousand tasks are drawn in a moment, and a reader that goes ends it" {
    "$PYTHON" -c '
print("{\"tasks\": {")
for i in range(100000):
    print(f"\"t{i}\": {{\"sh\": \"true\", \"needs\": [\"t{i + 1}\"]}},")
print("\"t100000\": \"true\"}}")' >big.json
    for format in text dot mermaid json; do
        run_ajob graph --format "$format" big.json
        assert_success
        (($(wc -l <"$AJOB_OUT") > 200000))
    done
    "${AS_FROM_TERMINAL[@]}" "$AJOB" graph big.json | read -r _
    assert_equal "${PIPESTATUS[0]}" 141
}

@test "standard output that takes nothing is an error" {
    [[ -e /dev/full ]] || skip "no /dev/full"
    "$AJOB" graph ci.json 2>"$AJOB_ERR" >/dev/full && status=0 || status=$?
    assert_equal "$status" 1
    assert_equal "$(<"$AJOB_ERR")" 'ajob: graph: standard output: cannot be written: No space left on device'
}

@test "mirrors are counted; a prerelease may be the newest; the rate is the top's" {
    cat >spec.json <<'END'
    {"limit_rate": "2M", "tasks": {
      "a": {"get": "https://h/f", "mirrors": ["https://i/f", "https://j/f?key=s3cret"]},
      "b": {"release": "o/r", "prerelease": true}}}
END
    run_ajob graph spec.json
    assert_success
    assert_output --partial 'https://h/f or 2 mirrors'
    assert_output --partial 'o/r, the newest'
    refute_output --partial s3cret
    run_ajob graph --format json spec.json
    assert_output --partial '"limit_rate": 2097152'
    rm spec.json
}
