"""Every example runs as its first lines say."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evo_core.config import from_layers, read_toml
from evo_core.plan import Job, make_plan
from evo_core.testing import DevelopmentContract, NeuronContract

EXAMPLES = Path(__file__).parents[2] / "examples"
FAST = ["--set", "observers=[]", "--set", "scoring.batch=8", "--executor", "serial"]
SMALL = [*FAST, "--population", "4", "--generations", "2", "--set", "mse.cells=2"]


def evo(*arguments: str) -> dict:
    command = [sys.executable, "-c", "from evo_core.cli import main; main()", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_fitness_in_one_file(in_empty_folder):
    shutil.copy(EXAMPLES / "my_fitness.py", in_empty_folder)
    result = evo(
        "run", "--space", "mse", "--plugin", "my_fitness.py", "--fitness", "my-score", *SMALL
    )
    assert 0 < result["best"]["scores"]["my-score"]["value"] <= 1


def test_a_fitness_in_one_file_reaches_worker_processes(in_empty_folder):
    shutil.copy(EXAMPLES / "my_fitness.py", in_empty_folder)
    arguments = ["run", "--plugin", "my_fitness.py", "--fitness", "my-score", *SMALL]
    assert evo(*arguments, "--executor", "loky", "--workers", "2")["failed"] == 0


def test_a_motif_in_toml(in_empty_folder):
    result = evo("run", str(EXAMPLES / "my_motif.toml"), *SMALL)
    plan = make_plan(Job(from_layers(read_toml(Path(result["run"]) / "config.toml"))))
    motifs = next(gene for gene in plan.space.genes if gene.name == "cell1.motif").choices
    assert motifs == ("FE", "FI", "FbI", "LI", "MI", "DI")
    genome = tuple(5 if gene.name == "cell1.motif" else 0 for gene in plan.space.genes)
    assert plan.decode(genome).cells[0].motif == "DI"


def test_a_motif_in_python(in_empty_folder):
    plugin = ["--plugin", str(EXAMPLES / "my_motif.py"), "--set", 'mse.motifs=["DI"]']
    result = evo("run", *plugin, *SMALL)
    shown = evo("show", result["run"], "--allow-plugins")
    assert {cell["motif"] for cell in shown["cells"]} == {"DI"}


def test_a_neuron_model_in_python(in_empty_folder):
    neurons = ["--set", 'mse.neurons=["lif","strong-lif[threshold=0.8]"]']
    result = evo("run", "--plugin", str(EXAMPLES / "my_neuron.py"), *neurons, *SMALL)
    assert result["best"]["scores"]["rdm"]["status"] == "ok"


class TestMyNeuron(NeuronContract):
    plugins = (str(EXAMPLES / "my_neuron.py"),)

    @pytest.fixture(params=["strong-lif", "strong-lif[tau=4.0,threshold=0.6]"])
    def text(self, request):
        return request.param


def test_two_objectives_in_toml(in_empty_folder):
    result = evo("run", str(EXAMPLES / "two_objectives.toml"), *SMALL)
    assert [one["name"] for one in result["objectives"]] == ["rdm", "params"]


def test_a_search_from_python(in_empty_folder, capsys):
    result = runpy.run_path(str(EXAMPLES / "in_python.py"))["main"]()
    assert result.status == "done"
    assert str(result.best.candidate) in capsys.readouterr().out


def test_modules_are_scored_from_python_as_the_docs_show(capsys):
    found = runpy.run_path(str(EXAMPLES / "score_module.py"))["main"]()
    assert {score.status for scores in found.values() for score in scores.values()} == {"ok"}
    page = (EXAMPLES.parent / "docs" / "fitness.md").read_text()
    for line in capsys.readouterr().out.splitlines():
        assert line.split()[:2] in [shown.split()[:2] for shown in page.splitlines()]


@pytest.mark.slow
def test_the_plugin_project_passes_its_own_tests(in_empty_folder):
    """The project is put on the path with the metadata an installer would write for it."""
    project = EXAMPLES / "plugin_project"
    info = in_empty_folder / "evo_example-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evo-example\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[evo]\nevo_example = evo_example.plugin\n")
    paths = os.pathsep.join([str(project / "src"), str(in_empty_folder)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project / "tests")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class TestMyDevelopment(DevelopmentContract):
    """The development in one file keeps what its record promises."""

    plugins = (str(EXAMPLES / "my_development.py"),)

    @pytest.fixture
    def text(self):
        return "fade[share=0.6]"
