"""What the engine shows when something is wrong: one clear sentence, and nothing is made."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.plugins.harness import ACCOUNT, Platform, Stack
from tests.plugins.test_kubernetes_lifecycle import HEADER, configure

pytestmark = pytest.mark.engine


def failing(stack: Stack, program: str, *arguments: str) -> str:
    stack.write(program)
    result = stack.preview(*arguments, check=False)
    assert result.returncode
    return " ".join((result.stdout + result.stderr).split())


def test_a_policy_pack_stops_a_resource_and_runs_in_the_same_interpreter(
    stack: Stack, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(
        """
import sys
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def short(args, report):
    if args.resource_type == "random:index/randomPassword:RandomPassword" and args.props["length"] < 12:
        report(f"a password needs 12 characters, said {sys.executable}")

PolicyPack(
    name="pack",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy(name="length", description="long passwords", validate=short)],
)
"""
    )
    program = "import pulumi_random as random\nrandom.RandomPassword('password', length={length})\n"
    import sys  # noqa: PLC0415 the interpreter that the pack must share

    text = failing(stack, program.format(length=8), "--policy-pack", str(pack))
    assert f"a password needs 12 characters, said {sys.executable}" in text
    stack.write(program.format(length=12))
    assert "to create" in stack.preview("--policy-pack", str(pack)).stdout


def test_an_unknown_aws_type_and_input_are_named_with_what_is_known(stack: Stack) -> None:
    text = failing(
        stack,
        """
        import pulumi_aws as aws
        aws.sqs.Queue("queue")
        """,
    )
    assert "aws:sqs/queue:Queue is not in the AWS stand-in" in text
    assert "aws:s3/bucket:Bucket" in text
    text = failing(stack, "import pulumi_aws as aws\naws.s3.Bucket('bucket', acl='private')\n")
    assert "does not support acl on aws:s3/bucket:Bucket" in text


def test_a_foreign_account_is_refused(stack: Stack) -> None:
    text = failing(
        stack,
        """
        import pulumi
        import pulumi_aws as aws
        provider = aws.Provider("foreign", region="us-east-1", allowed_account_ids=["999999999999"])
        aws.s3.Bucket("bucket", opts=pulumi.ResourceOptions(provider=provider))
        """,
    )
    assert f"AWS account {ACCOUNT} is not allowed: this stack may only touch 999999999999" in text


def test_helm_releases_are_refused_with_the_way_out(stack: Stack) -> None:
    configure(stack)
    text = failing(stack, HEADER + 'manifest("helm.sh/v3:Release", "keda", {"chart": "keda"})\n')
    assert "cannot install Helm charts" in text
    assert "operators.install: crds" in text


def test_a_silent_api_server_is_named_with_its_kubeconfig(stack: Stack, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "dead.yaml"
    live = stack.platform.kubeconfig.read_text()
    server = next(line for line in live.splitlines() if "server:" in line).split()[-1]
    kubeconfig.write_text(live.replace(server, "https://127.0.0.1:1"))
    stack.configure(kubeconfig=str(kubeconfig))
    program = HEADER + 'manifest("core/v1:ConfigMap", "settings", {"data": {}})\n'
    text = failing(stack, program)
    assert "https://127.0.0.1:1" in text
    assert str(kubeconfig) in text
    stack.configure(kubeconfig="nowhere/kubeconfig")
    assert "nowhere/kubeconfig cannot be read: No such file or directory" in failing(stack, program)


def test_a_field_of_another_manager_is_named_and_taken_over_only_on_request(
    stack: Stack, platform: Platform
) -> None:
    program = (
        HEADER
        + """
manifest("core/v1:ConfigMap", "shared", {
    "metadata": {
        "name": "shared",
        "namespace": "default",
        "annotations": config.get_object("annotations") or {},
    },
    "data": {"a": config.get("a") or "1"},
})
"""
    )
    configure(stack)
    stack.write(program.replace("cluster_identifier=", "enable_config_map_mutable=True, cluster_identifier="))
    stack.up()
    path = "/api/v1/namespaces/default/configmaps/shared"
    patch = {"data": {"a": "theirs"}}
    platform.cluster.request(
        "PATCH", path, patch, content_type="application/merge-patch+json", fieldManager="kubectl-edit"
    )
    stack.configure(a="2")
    refused = stack.up(check=False)
    text = " ".join((refused.stdout + refused.stderr).split())
    assert refused.returncode
    assert '.data.a (conflict with "kubectl-edit"' in text
    assert "pulumi.com/patchForce" in text
    stack.configure(annotations={"pulumi.com/patchForce": "true"})
    stack.up()
    assert platform.cluster.request("GET", path)["data"] == {"a": "2"}
    stack.destroy()


def test_an_object_that_pulumi_did_not_make_is_not_taken_over(stack: Stack, platform: Platform) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}
    platform.cluster.request("POST", "/api/v1/namespaces/default/configmaps", manifest)
    configure(stack)
    stack.write(HEADER + 'manifest("core/v1:ConfigMap", "theirs", {"metadata": {"name": "theirs"}})\n')
    refused = stack.up(check=False)
    assert refused.returncode
    assert "exists already and was not made by Pulumi" in " ".join((refused.stdout + refused.stderr).split())


def test_a_failing_program_says_so_once(stack: Stack) -> None:
    text = failing(stack, "raise ValueError('no such region: mars')\n")
    assert text.count("ValueError: no such region: mars") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_an_engine_that_is_ended(stack: Stack, number: signal.Signals) -> None:
    stack.write(
        f"""
        import os, time
        import pulumi_aws as aws
        aws.s3.Bucket("bucket")
        with open("pid", "w") as file:
            file.write(str(os.getpid()))
        time.sleep({60})
        """
    )
    pid_file = stack.folder / "pid"
    engine = subprocess.Popen(
        [stack.platform.pulumi, "--non-interactive", "preview"],
        cwd=stack.folder,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not (pid_file.exists() and pid_file.read_text()):
            assert time.monotonic() < end, "the program did not start"
            time.sleep(0.05)
        plugins = children(engine.pid)
        assert plugins
    finally:
        engine.send_signal(number)
        time.sleep(0.5)
        engine.send_signal(number)
        engine.wait(30)
    watched = {*plugins, int(pid_file.read_text())}
    end = time.monotonic() + 10
    while alive := {pid for pid in watched if runs(pid)}:
        assert time.monotonic() < end, f"still there: {alive}"
        time.sleep(0.1)


def children(parent: int) -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.add(int(status.parent.name))
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
