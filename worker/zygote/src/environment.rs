//! Sets all environment variables of an execution at once. Setting them one by one through the C library, which keeps
//! every value that it ever saw, costs more than the rest of a short function's start.

use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
}

/// Makes `variables` (`NAME=VALUE` entries, each followed by a nul byte) the whole environment. Must be called before
/// function code runs, while this process has one thread. Ruby may have read `TZ` before.
pub fn replace(mut variables: Vec<u8>) {
    // A string after the last nul byte would have no end, so it is cut off.
    variables.truncate(variables.iter().rposition(|&byte| byte == 0).map_or(0, |last| last + 1));
    let variables = variables.leak();
    let ends = variables.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(index, _)| index + 1);
    let starts: Vec<usize> =
        std::iter::once(0).chain(ends).filter(|&start| start < variables.len()).collect();
    let mut pointers: Vec<*mut c_char> =
        starts.into_iter().map(|start| variables[start..].as_mut_ptr().cast()).collect();
    pointers.push(std::ptr::null_mut());
    // SAFETY: strings and array live for ever, the array ends with a null, and no other thread reads it meanwhile.
    unsafe { environ = pointers.leak().as_mut_ptr() };
}

/// Adds `variables`, in the same format as in [`replace`], to the environment as a template's top level left it.
/// There are few of them, if any. Must be called before the handler runs, while this process has one thread.
pub fn add(variables: &[u8]) {
    for variable in variables.split(|&byte| byte == 0) {
        let Some(equals) = variable.iter().position(|&byte| byte == b'=') else { continue };
        let (name, value) =
            (OsStr::from_bytes(&variable[..equals]), OsStr::from_bytes(&variable[equals + 1..]));
        // SAFETY: no other thread reads or writes the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
}
