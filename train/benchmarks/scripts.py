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

def once(image, **more):
    start = time.perf_counter()
    maquette.reconstruct(image, resolution=64, device=device, cache=cache, **more)
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
print("RESULT " + json.dumps({"first": first, "warm": warm, "photo": plain, "work": work,
                              "memory": peak(client.worker().pid)}))
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
picture, runs, cache = sys.argv[1:]
maquette.register()
assert bpy.ops.maquette.reconstruct(filepath=picture) == {"FINISHED"}
shape = bpy.context.object
seconds = []
for turn in range(int(runs) + 2):
    before = len(shape.data.vertices)
    start = time.perf_counter()
    assert bpy.ops.maquette.remesh(smoothing=5, faces=5000 + 10 * turn) == {"FINISHED"}
    seconds.append(time.perf_counter() - start)
print("RESULT " + json.dumps({"seconds": seconds[2:]}))
"""
