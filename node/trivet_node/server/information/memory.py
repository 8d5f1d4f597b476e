"""INFO memory: see server/memory.py for what is counted."""

from trivet_node.server.information.fields import Fields, ratio, size_fields
from trivet_node.server.memory import MemoryOverview
from trivet_node.server.state import Server


def memory_info(server: Server) -> Fields:
    """Return how much memory the process uses, and for what."""
    memory = MemoryOverview(server)
    return [
        *size_fields("used_memory", memory.used),
        *size_fields("used_memory_rss", memory.resident),
        *size_fields("used_memory_peak", memory.peak),
        ("used_memory_peak_perc", f"{100 * ratio(memory.used, memory.peak):.2f}%"),
        ("used_memory_overhead", str(memory.overhead())),
        ("used_memory_startup", str(memory.at_start)),
        ("used_memory_dataset", str(memory.dataset())),
        ("used_memory_dataset_perc", f"{memory.dataset_percentage():.2f}%"),
        *size_fields("total_system_memory", memory.system),
        *_program_fields(server),
        *size_fields("maxmemory", server.config.maxmemory),
        ("maxmemory_policy", server.config.maxmemory_policy),
        ("mem_fragmentation_ratio", f"{ratio(memory.resident, memory.used):.2f}"),
        ("mem_fragmentation_bytes", str(memory.resident - memory.used)),
        ("mem_not_counted_for_evict", str(memory.held_for_replicas)),
        ("mem_replication_backlog", str(memory.backlog)),
        ("mem_total_replication_buffers", str(memory.backlog + memory.held_for_replicas)),
        ("mem_clients_slaves", str(memory.replica_clients)),
        ("mem_clients_normal", str(memory.clients)),
        ("mem_aof_buffer", "0"),
        ("mem_allocator", "pymalloc"),
        ("active_defrag_running", "0"),
        ("lazyfree_pending_objects", str(server.keyspace.lazyfree.waiting())),
        ("lazyfreed_objects", str(int(server.keyspace.lazyfree.freed_total))),
    ]


def _program_fields(server: Server) -> Fields:
    """Return what scripts and libraries take of memory, and how many there are."""
    programs = server.programs
    for_scripts, for_libraries = programs.machine_bytes()
    scripts, libraries = programs.script_bytes(), programs.library_bytes()
    (used_lua, used_lua_human) = size_fields("used_memory_lua", for_scripts)
    return [
        used_lua,
        ("used_memory_vm_eval", str(for_scripts)),
        used_lua_human,
        ("used_memory_scripts_eval", str(scripts)),
        ("number_of_cached_scripts", str(len(programs.scripts))),
        ("number_of_functions", str(programs.libraries.function_count())),
        ("number_of_libraries", str(len(programs.libraries.libraries))),
        ("used_memory_vm_functions", str(for_libraries)),
        *size_fields("used_memory_vm_total", for_scripts + for_libraries),
        ("used_memory_functions", str(libraries)),
        *size_fields("used_memory_scripts", scripts + libraries),
    ]
