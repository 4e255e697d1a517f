;; Functions return 0 when they are done, and 2 when they give up. Look how
;; the tag also refuses misaligned addresses; lr.w leaves a reservation and a flag, sc.w compares and forgets it.
;; 0: lr.w a0, (a1)
;; 1: sc.w a0, a2, (a1)
;; 2: amoadd.d a0, a2, (a1)
;; 3: amomaxu.w a0, a2, (a1)
(module
  (type (;0;) (func (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (export "0") (type 0) (result i32)
    (local i32 i64 i32 i32)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load
            (local.tee 2
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 1
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 0))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4093))))
      (local.set 0
        (i32.add
          (i32.wrap_i64
            (local.get 1))
          (i32.load offset=8
            (local.get 2))))
      (i64.store offset=1040
        (i32.const 0)
        (i64.add
          (i64.extend_i32_u
            (local.get 0))
          (i64.const RESERVATION_BIAS)))
      (i32.store8 offset=FLAGS_BIAS
        (local.tee 3
          (i32.shr_u
            (local.get 0)
            (i32.const 12)))
        (i32.or
          (i32.load8_u offset=FLAGS_BIAS
            (local.get 3))
          (i32.const 8)))
      (i64.store offset=80
        (i32.const 0)
        (i64.load32_s
          (local.get 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
    (local i32 i64 i32 i64 i32)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load offset=65536
            (local.tee 2
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 1
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 0))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4093))))
      (br_if 0 (;@1;)
        (i32.and
          (i32.load8_u offset=FLAGS_BIAS
            (i32.shr_u
              (local.tee 2
                (i32.add
                  (i32.wrap_i64
                    (local.get 1))
                  (i32.load offset=65544
                    (local.get 2))))
              (i32.const 12)))
          (i32.const 247)))
      (local.set 0
        (local.get 2))
      (local.set 3
        (i64.load offset=96
          (i32.const 0)))
      (local.set 4
        (i64.ne
          (i64.load offset=1040
            (i32.const 0))
          (i64.add
            (i64.extend_i32_u
              (local.get 0))
            (i64.const RESERVATION_BIAS))))
      (i64.store offset=1040
        (i32.const 0)
        (i64.const 0))
      (if  ;; label = @2
        (i32.eqz
          (local.get 4))
        (then
          (i64.store32
            (local.get 0)
            (local.get 3))))
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_u
          (local.get 4)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (local i32 i64 i32 i64)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load offset=65536
            (local.tee 2
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 1
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 0))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4089))))
      (br_if 0 (;@1;)
        (i32.and
          (i32.load8_u offset=FLAGS_BIAS
            (i32.shr_u
              (local.tee 2
                (i32.add
                  (i32.wrap_i64
                    (local.get 1))
                  (i32.load offset=65544
                    (local.get 2))))
              (i32.const 12)))
          (i32.const 247)))
      (local.set 0
        (local.get 2))
      (local.get 0)
      (local.set 3
        (i64.load
          (local.get 0)))
      (i64.add
        (local.get 3)
        (i64.load offset=96
          (i32.const 0)))
      (i64.store)
      (i64.store offset=80
        (i32.const 0)
        (local.get 3))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;3;) (export "3") (type 0) (result i32)
    (local i32 i64 i32 i64 i64)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load offset=65536
            (local.tee 2
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 1
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 0))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4093))))
      (br_if 0 (;@1;)
        (i32.and
          (i32.load8_u offset=FLAGS_BIAS
            (i32.shr_u
              (local.tee 2
                (i32.add
                  (i32.wrap_i64
                    (local.get 1))
                  (i32.load offset=65544
                    (local.get 2))))
              (i32.const 12)))
          (i32.const 247)))
      (local.set 0
        (local.get 2))
      (local.get 0)
      (local.set 3
        (i64.load32_s
          (local.get 0)))
      (select
        (local.get 3)
        (local.tee 4
          (i64.extend32_s
            (i64.load offset=96
              (i32.const 0))))
        (i64.gt_u
          (local.get 3)
          (local.get 4)))
      (i64.store32)
      (i64.store offset=80
        (i32.const 0)
        (local.get 3))
      (return
        (i32.const 0)))
    (i32.const 2)))
