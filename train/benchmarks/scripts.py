"""What the benchmarks run in other processes, as text: they use the package as its users do, Blender included."""

WORKER = r"""
import json, os, sys, time, maquette
from maquette.jobs import client
picture, photo, runs, device, cache, field = sys.argv[1:]

def processor(pid):
    # seconds of processor time so far; 0 where the system does not say
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0

def once(image, resolution=64, **more):
    start = time.perf_counter()
    maquette.reconstruct(image, resolution=resolution, device=device, cache=cache, **more)
    return time.perf_counter() - start

def peak(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(row.split()[1]) for row in status if row.startswith("VmHWM")) / 2**20
    except OSError:
        import resource
        client.worker().close()
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)

first = once(picture)
once(picture, save_field=field)
before = processor(client.worker().pid)
warm = [once(picture) for _ in range(int(runs))]
work = (processor(client.worker().pid) - before) / int(runs)
plain = [once(photo) for _ in range(int(runs))]
memory = peak(client.worker().pid)
fine = [once(picture, 128) for _ in range(int(runs) + 1)][1:]
print("RESULT " + json.dumps({"first": first, "warm": warm, "photo": plain, "work": work, "memory": memory,
                              "fine": fine, "memory_fine": peak(client.worker().pid)}))
"""

IMPORT = """
import json, time, bpy
start, work = time.perf_counter(), time.process_time()
import maquette
maquette.register()
print("RESULT " + json.dumps({"seconds": time.perf_counter() - start, "work": time.process_time() - work}))
"""

REMESH = """
import json, sys, time, bpy, maquette
picture, runs, cache, resolution = sys.argv[1:]
maquette.register()
assert bpy.ops.maquette.reconstruct(filepath=picture, resolution=resolution) == {"FINISHED"}
shape = bpy.context.object
seconds = []
for turn in range(int(runs) + 2):
    before = len(shape.data.vertices)
    start = time.perf_counter()
    assert bpy.ops.maquette.remesh(smoothing=5, faces=5000 + 10 * turn) == {"FINISHED"}
    seconds.append(time.perf_counter() - start)
print("RESULT " + json.dumps({"seconds": seconds[2:]}))
"""

SAMPLE = """
import json, os, sys, time, bpy, maquette
runs, changes = map(int, sys.argv[1:])
maquette.register()
from maquette.jobs import client
from maquette.operators import follow, live, sampled, shapes, tasks

def resident(pid):
    # MiB; 0 where the system does not say
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(row.split()[1]) for row in status if row.startswith("VmRSS")) / 2**10
    except OSError:
        return 0.0

def turn(done):
    # as Blender's event loop does
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, "a slider was not followed"
        time.sleep(tasks.pump())

def at_rest():
    return live.Live.wish is None and not follow.Follow.changed and sampled.shows(thing)

def drafted():
    return live.Live.wish is not None and live.Live.job is None and live.Live.asked == live.Live.wish

assert bpy.ops.maquette.sample(seed=1) == {"FINISHED"}
thing = bpy.context.object
name = thing.maquette_sample.sliders[0].name
limits = thing.id_properties_ui(name).as_dict()
low, reach = limits["min"], limits["max"] - limits["min"]

def move(number):
    thing[name] = low + reach * ((0.6180339887 * number) % 1)  # each value is new

def worker_only(resolution, number):
    # the same request, without Blender
    import dataclasses
    move(1000 + resolution + number)
    asked = dataclasses.replace(sampled.request(thing), resolution=resolution, keep=resolution == 64)
    start = time.perf_counter()
    client.worker().run(asked)
    return time.perf_counter() - start

seconds, whole = [], []
for number in range(runs + 2):
    move(number)
    start = time.perf_counter()
    turn(drafted)
    seconds.append(time.perf_counter() - start)
    turn(at_rest)
for number in range(runs + 2):
    move(100 + number)
    start = time.perf_counter()
    assert bpy.ops.maquette.sample_update() == {"FINISHED"}
    whole.append(time.perf_counter() - start)
alone = {resolution: [worker_only(resolution, number) for number in range(runs)] for resolution in (32, 64)}
shapes.forget()
before = resident(client.worker().pid), resident(os.getpid())
start = time.perf_counter()
for number in range(changes):
    move(5000 + number)
    time.sleep(tasks.pump())
turn(at_rest)
dragged = time.perf_counter() - start
kept = sum(map(shapes._size, shapes._kept.values())) / 2**20
after = resident(client.worker().pid), resident(os.getpid())
wish = sampled.point(thing).sliders[name]
shown = json.loads(thing["maquette"])["request"]["point"]["sliders"][name]
print("RESULT " + json.dumps({"draft": seconds[2:], "whole": whole[2:], "alone": alone, "before": before,
                              "after": after, "kept": kept, "dragged": dragged, "last": shown == wish}))
"""
