//! The embedded Ruby: the two dozen functions of its C API that we need, each declared by hand. None of them exists
//! only as a macro, and all have kept their signatures from Ruby 3.1 to 4.0. Constants such as `Qnil` have changed,
//! so we use none of them.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::process::abort;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use nix::libc;

type Value = usize;
type Id = usize;

unsafe extern "C" {
    fn ruby_sysinit(argc: *mut c_int, argv: *mut *mut *mut c_char);
    fn ruby_init_stack(address: *mut Value);
    fn ruby_init();
    fn ruby_options(argc: c_int, argv: *mut *mut c_char) -> *mut c_void;
    fn ruby_exec_node(node: *mut c_void) -> c_int;
    fn ruby_stop(state: c_int) -> !;
    fn rb_path2class(path: *const c_char) -> Value;
    fn rb_intern(name: *const c_char) -> Id;
    fn rb_utf8_str_new(bytes: *const c_char, length: c_long) -> Value;
    fn rb_protect(
        function: unsafe extern "C" fn(Value) -> Value,
        argument: Value,
        state: *mut c_int,
    ) -> Value;
    fn rb_funcallv(receiver: Value, method: Id, argc: c_int, argv: *const Value) -> Value;
    fn rb_string_value_ptr(string: *mut Value) -> *mut c_char;
    fn rb_str_length(string: Value) -> Value;
    fn rb_num2long(number: Value) -> c_long;
    fn rb_id2sym(name: Id) -> Value;
    fn rb_obj_method(object: Value, name: Value) -> Value;
    fn rb_method_call(argc: c_int, argv: *const Value, method: Value) -> Value;
    fn rb_file_open(path: *const c_char, mode: *const c_char) -> Value;
    fn rb_gc_register_mark_object(object: Value);
    fn rb_define_singleton_method(object: Value, name: *const c_char, method: StatusSetter, argc: c_int);
    fn rb_last_status_set(status: c_int, pid: libc::pid_t);
    fn rb_eval_string(code: *const c_char) -> Value;
    fn rb_add_event_hook(hook: EventHook, events: u32, data: Value);
    fn rb_remove_event_hook(hook: EventHook) -> c_int;
    static rb_stdout: AtomicUsize;
    static rb_stderr: AtomicUsize;
}

type StatusSetter = unsafe extern "C" fn(Value, Value) -> Value;
type EventHook = unsafe extern "C" fn(u32, Value, Value, Id, Value);
/// `RUBY_EVENT_SCRIPT_COMPILED`: `eval` has compiled code. A hook on this event slows no other code down.
const SCRIPT_COMPILED: u32 = 0x2000;
/// 0 is `false` in all versions of Ruby. Other constants are different numbers in different versions.
const FALSE: Value = 0;

const MAX_ARGUMENTS: usize = 5;

/// The Ruby code that runs around function code.
const RUNNER: &str = concat!(
    include_str!("../../ruby/temporary_folder.rb"),
    include_str!("../../ruby/runner.rb"),
    include_str!("../../ruby/surroundings.rb"),
);

/// The methods of the runner that Rust calls. Each returns a string.
#[derive(Clone, Copy)]
pub enum Entry {
    /// Sets the limits of answers. Arguments: depth of JSON, bytes of a message, lines of a backtrace.
    Limit,
    /// Loads libraries and touches what every execution will use. Argument: the names of the libraries.
    WarmUp,
    /// Runs script-form code. Arguments: code, event, context, handler's name, largest result in bytes.
    Script,
    /// Runs handler-form code's top level. Arguments: code, context, handler's name, largest result in bytes.
    Load,
    /// Calls the handler that was loaded. Arguments: event, context, largest result in bytes.
    Handle,
}

/// In which process a fork returned.
pub enum Fork {
    /// In the parent, with the child's pid.
    Parent(i32),
    /// In the child.
    Child,
}

/// The interpreter. There is one per process, on its only thread.
pub struct Ruby {
    runner: Value,
    /// `Process._fork` as a Method, taken before any function code has run.
    fork: Value,
    /// A File on /dev/null, for a fork to flush in place of `$stdout` and `$stderr`.
    nowhere: Value,
    entries: [Id; 5],
}

impl Ruby {
    /// Starts the interpreter and loads the runner. `stack` is a variable of `main`, above which no Ruby value
    /// will ever lie.
    pub fn boot(stack: &mut usize) -> Option<Self> {
        let arguments = ["function.rb", "-e", RUNNER];
        let mut argv: Vec<*mut c_char> = arguments
            .iter()
            .map(|text| CString::new(*text).map(CString::into_raw))
            .collect::<Result<_, _>>()
            .ok()?;
        argv.push(std::ptr::null_mut());
        let mut argc = arguments.len() as c_int;
        // Ruby keeps and writes to its arguments, so they are never freed.
        let mut argv = Box::leak(argv.into_boxed_slice()).as_mut_ptr();
        // `ruby` itself does this, too: the locale decides in which encoding files and arguments are read.
        // SAFETY: a constant, nul-terminated name, before there is a second thread.
        unsafe { libc::setlocale(libc::LC_CTYPE, c"".as_ptr()) };
        // SAFETY: argc counts argv's strings, which end with a null and live for ever.
        unsafe { ruby_sysinit(&mut argc, &mut argv) };
        // SAFETY: the caller vouches for the variable's place on the stack.
        unsafe { ruby_init_stack(stack) };
        // SAFETY: called once, after ruby_sysinit and ruby_init_stack, as Ruby's embedding guide has it.
        unsafe { ruby_init() };
        // SAFETY: these are the arguments as ruby_sysinit left them.
        let node = unsafe { ruby_options(argc, argv) };
        // SAFETY: the node comes from ruby_options.
        if unsafe { ruby_exec_node(node) } != 0 {
            return None;
        }
        let mut kept = [0; 2];
        let mut state = 0;
        // SAFETY: `keep` gets the address of an array that outlives the call.
        unsafe { rb_protect(keep, kept.as_mut_ptr() as Value, &mut state) };
        let [fork, nowhere] = kept;
        let entries = [c"limit", c"warm_up", c"script", c"load", c"handle"];
        if state != 0 {
            return None;
        }
        // SAFETY: the runner, which has just run, defines this constant.
        let runner = unsafe { rb_path2class(c"BadLambda::Runner".as_ptr()) };
        // SAFETY: a function of one argument beside the receiver.
        unsafe { rb_define_singleton_method(runner, c"set_last_status".as_ptr(), set_last_status, 1) };
        Some(Self {
            runner,
            fork,
            nowhere,
            // SAFETY: constant, nul-terminated names.
            entries: entries.map(|name| unsafe { rb_intern(name.as_ptr()) }),
        })
    }

    /// Forks through Ruby's own `Process._fork`, even if function code has replaced that since. A bare fork(2) would
    /// break the interpreter's timer and threads. `None` if the fork fails.
    pub fn fork(&self) -> Option<Fork> {
        let parent = std::process::id();
        let mut state = 0;
        // SAFETY: `call_fork` gets the Method that `boot` has kept.
        let pid = unsafe { rb_protect(call_fork, self.fork, &mut state) };
        if state != 0 {
            return None;
        }
        if std::process::id() != parent {
            return Some(Fork::Child);
        }
        // SAFETY: in the parent, Process._fork returned an Integer.
        let pid = unsafe { rb_num2long(pid) };
        i32::try_from(pid).ok().map(Fork::Parent)
    }

    /// Runs `work`, which forks, so that no function code can get in between. `work` runs in a hook on an event,
    /// during which Ruby calls no other hook, so no TracePoint sees the forks. A fork flushes `$stdout` and
    /// `$stderr`, so both are a File of ours until `work` has returned. False if Ruby did not run `work`.
    pub fn unobserved(&self, work: &mut dyn FnMut()) -> bool {
        let mut whole: *mut dyn FnMut() = work;
        WORK.store(std::ptr::from_mut(&mut whole).cast(), Ordering::Relaxed);
        // The old streams stay on the stack, where the garbage collector sees them.
        let streams = std::hint::black_box(set_streams([self.nowhere; 2]));
        // SAFETY: the hook has the signature that Ruby calls it with.
        unsafe { rb_add_event_hook(do_work, SCRIPT_COMPILED, FALSE) };
        let mut state = 0;
        // SAFETY: `compile_nothing` takes no argument.
        unsafe { rb_protect(compile_nothing, FALSE, &mut state) };
        // SAFETY: this is the hook that was added.
        unsafe { rb_remove_event_hook(do_work) };
        set_streams(std::hint::black_box(streams));
        state == 0 && WORK.load(Ordering::Relaxed).is_null()
    }

    /// Calls a method of the runner. `None` if the call was torn down (by `Thread.main.kill`, say) or returned no
    /// string. It does not return in a child that function code forked and that came to the end of the code. Such a
    /// child ends as any Ruby process does: it prints its error, runs its `at_exit` blocks, and has its own exit
    /// status.
    pub fn call(&self, entry: Entry, arguments: &[&[u8]]) -> Option<Vec<u8>> {
        let mut argv = [0; MAX_ARGUMENTS];
        for (place, bytes) in argv.iter_mut().zip(arguments) {
            let length = c_long::try_from(bytes.len()).ok()?;
            // SAFETY: pointer and length are of one slice, which Ruby copies.
            *place = unsafe { rb_utf8_str_new(bytes.as_ptr().cast(), length) };
        }
        let method = self.entries[entry as usize];
        let argc = arguments.len().min(MAX_ARGUMENTS) as c_int;
        let process = std::process::id();
        let done = Call { receiver: self.runner, method, argv, argc }.protected();
        if std::process::id() != process {
            // SAFETY: no Rust value of this forked process is ever used again; the state is that of the call above.
            unsafe { ruby_stop(done.err().unwrap_or(0)) }
        }
        let mut string = done.ok()?;
        let mut copied = Vec::new();
        let copy = Copy { string: &mut string, into: &mut copied };
        let mut state = 0;
        // SAFETY: `copy_string` gets the address of a `Copy` that outlives the call.
        unsafe { rb_protect(copy_string, std::ptr::from_ref(&copy) as Value, &mut state) };
        (state == 0).then_some(copied)
    }
}

/// Makes `$?` the status of a process that ended with this exit code. Ruby itself has no way to do so.
unsafe extern "C" fn set_last_status(_: Value, code: Value) -> Value {
    // SAFETY: rb_num2long raises if the value is no number.
    let code = unsafe { rb_num2long(code) };
    // SAFETY: takes plain numbers; an exit code lies in a status's second byte.
    unsafe { rb_last_status_set((code as c_int & 0xff) << 8, 0) };
    FALSE
}

/// Makes these values Ruby's `$stdout` and `$stderr`. Returns the previous ones.
fn set_streams([stdout, stderr]: [Value; 2]) -> [Value; 2] {
    // SAFETY: the variable is a word, which only this thread uses.
    let old_stdout = unsafe { &rb_stdout }.swap(stdout, Ordering::Relaxed);
    // SAFETY: this variable, too, is a word, which only this thread uses.
    let old_stderr = unsafe { &rb_stderr }.swap(stderr, Ordering::Relaxed);
    [old_stdout, old_stderr]
}

/// The closure that the hook runs. It is a pointer to a pointer, because the inner one is two words wide.
static WORK: AtomicPtr<*mut dyn FnMut()> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn do_work(_: u32, _: Value, _: Value, _: Id, _: Value) {
    let work = WORK.swap(std::ptr::null_mut(), Ordering::Relaxed);
    // SAFETY: `Ruby::unobserved` stored the pointer, and waits until this function returns.
    if let Some(work) = unsafe { work.as_mut() } {
        // SAFETY: the closure that it points to lives as long.
        let work = unsafe { &mut **work };
        work();
    }
}

unsafe extern "C" fn compile_nothing(_: Value) -> Value {
    // SAFETY: an empty program.
    unsafe { rb_eval_string(c"".as_ptr()) }
}

unsafe extern "C" fn call_fork(method: Value) -> Value {
    // SAFETY: the Method comes from `keep`, and takes no arguments.
    unsafe { rb_method_call(0, std::ptr::null(), method) }
}

/// Makes the two objects that function code must not be able to reach by name, and keeps the garbage collector from
/// ever freeing them.
unsafe extern "C" fn keep(into: Value) -> Value {
    // SAFETY: a constant of Ruby's core.
    let process = unsafe { rb_path2class(c"Process".as_ptr()) };
    // SAFETY: a constant, nul-terminated name.
    let id = unsafe { rb_intern(c"_fork".as_ptr()) };
    // SAFETY: rb_intern made it.
    let name = unsafe { rb_id2sym(id) };
    // SAFETY: an object and a Symbol.
    let fork = unsafe { rb_obj_method(process, name) };
    // SAFETY: constant, nul-terminated strings.
    let nowhere = unsafe { rb_file_open(c"/dev/null".as_ptr(), c"w".as_ptr()) };
    for object in [fork, nowhere] {
        // SAFETY: a live object.
        unsafe { rb_gc_register_mark_object(object) };
    }
    // SAFETY: `Ruby::boot` passes the address of such an array.
    unsafe { *(into as *mut [Value; 2]) = [fork, nowhere] };
    FALSE
}

/// A method call, in the form that rb_protect can pass on.
struct Call {
    receiver: Value,
    method: Id,
    argv: [Value; MAX_ARGUMENTS],
    argc: c_int,
}

impl Call {
    /// Calls the method. Returns its value or, if it did not return, the state that rb_protect gives.
    fn protected(&self) -> Result<Value, c_int> {
        let mut state = 0;
        // SAFETY: `call_method` gets the address of a `Call` that outlives the call.
        let value = unsafe { rb_protect(call_method, std::ptr::from_ref(self) as Value, &mut state) };
        if state == 0 { Ok(value) } else { Err(state) }
    }
}

unsafe extern "C" fn call_method(call: Value) -> Value {
    // SAFETY: `Call::protected` passes its own address.
    let call = unsafe { &*(call as *const Call) };
    // SAFETY: argv holds argc values; receiver and method come from `boot`.
    unsafe { rb_funcallv(call.receiver, call.method, call.argc, call.argv.as_ptr()) }
}

struct Copy {
    string: *mut Value,
    into: *mut Vec<u8>,
}

/// Copies the bytes of a binary string. With a string, none of these functions calls a method that function code
/// could redefine. Any other value raises, or gives bytes that function code chose.
unsafe extern "C" fn copy_string(copy: Value) -> Value {
    // SAFETY: `Ruby::call` passes the address of a live `Copy`.
    let copy = unsafe { &*(copy as *const Copy) };
    // SAFETY: the pointer is to a live value. A value that is no string is converted, or raises into rb_protect.
    let pointer = unsafe { rb_string_value_ptr(copy.string) };
    // SAFETY: rb_string_value_ptr left a string there.
    let string = unsafe { *copy.string };
    // SAFETY: the value is a string. In binary encoding, each byte is a character. In others, there are no more
    // characters than bytes.
    let length = unsafe { rb_str_length(string) };
    // SAFETY: rb_str_length returns a small Integer.
    let length = unsafe { rb_num2long(length) };
    let Ok(length) = usize::try_from(length) else { abort() };
    // SAFETY: the string holds at least that many bytes, and nothing runs that could change it.
    let bytes = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), length) };
    // SAFETY: the vector belongs to `Ruby::call`, which waits.
    unsafe { (*copy.into).extend_from_slice(bytes) };
    copy.string as Value
}
