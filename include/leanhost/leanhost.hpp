#pragma once

/// Everything that a host program uses. Authors of capability libraries include capability_abi.h,
/// and in C++ capability_guard.hpp, instead.

#include <leanhost/capabilities.hpp>
#include <leanhost/check_report.hpp>
#include <leanhost/drain_on_signal.hpp>
#include <leanhost/library.hpp>
#include <leanhost/memory_sample.hpp>
#include <leanhost/obj.hpp>
#include <leanhost/runtime.hpp>
#include <leanhost/session.hpp>
#include <leanhost/session_pool.hpp>
#include <leanhost/term.hpp>
#include <leanhost/verdict.hpp>
#include <leanhost/version.hpp>
#include <leanhost/worker_pool.hpp>
