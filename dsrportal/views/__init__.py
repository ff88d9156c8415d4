"""The pages, as functions: find, check, act, render. They parse HTTP and choose templates; they never call Dastra."""
