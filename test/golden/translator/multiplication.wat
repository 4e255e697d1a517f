;; Functions return 0 when they are done, and 2 when they give up. Look how
;; division never traps: zero and the overflow are told apart before WebAssembly's own instruction.
;; 0: mulh a0, a1, a2
;; 1: div a0, a1, a2
;; 2: remuw a0, a1, a2
(module
  (type (;0;) (func (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (export "0") (type 0) (result i32)
    (local i64 i64 i64 i64 i64)
    (block  ;; label = @1
      (i32.const 0)
      (local.set 0
        (i64.and
          (local.tee 2
            (i64.load offset=88
              (i32.const 0)))
          (i64.const 4294967295)))
      (local.set 2
        (i64.shr_s
          (local.get 2)
          (i64.const 32)))
      (local.set 1
        (i64.and
          (local.tee 3
            (i64.load offset=96
              (i32.const 0)))
          (i64.const 4294967295)))
      (local.set 3
        (i64.shr_s
          (local.get 3)
          (i64.const 32)))
      (i64.add
        (i64.add
          (i64.shr_s
            (local.tee 4
              (i64.add
                (i64.mul
                  (local.get 2)
                  (local.get 1))
                (i64.shr_u
                  (i64.mul
                    (local.get 0)
                    (local.get 1))
                  (i64.const 32))))
            (i64.const 32))
          (i64.mul
            (local.get 2)
            (local.get 3)))
        (i64.shr_s
          (i64.add
            (i64.mul
              (local.get 0)
              (local.get 3))
            (i64.and
              (local.get 4)
              (i64.const 4294967295)))
          (i64.const 32)))
      (i64.store offset=80)
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
    (local i64 i64)
    (block  ;; label = @1
      (i32.const 0)
      (local.set 0
        (i64.load offset=88
          (i32.const 0)))
      (local.set 1
        (i64.load offset=96
          (i32.const 0)))
      (if (result i64)  ;; label = @2
        (i64.gt_u
          (i64.add
            (local.get 1)
            (i64.const 1))
          (i64.const 1))
        (then
          (i64.div_s
            (local.get 0)
            (local.get 1)))
        (else
          (select
            (i64.const -1)
            (i64.sub
              (i64.const 0)
              (local.get 0))
            (i64.eqz
              (local.get 1)))))
      (i64.store offset=80)
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (local i32 i32)
    (block  ;; label = @1
      (i32.const 0)
      (local.set 0
        (i32.wrap_i64
          (i64.load offset=88
            (i32.const 0))))
      (local.set 1
        (i32.wrap_i64
          (i64.load offset=96
            (i32.const 0))))
      (i64.extend_i32_s
        (if (result i32)  ;; label = @2
          (i32.eqz
            (local.get 1))
          (then
            (local.get 0))
          (else
            (i32.rem_u
              (local.get 0)
              (local.get 1)))))
      (i64.store offset=80)
      (return
        (i32.const 0)))
    (i32.const 2)))
