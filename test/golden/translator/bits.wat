;; Functions return 0 when they are done, and 2 when they give up. Look how
;; what WebAssembly has no instruction for is a few of its own, without a loop and without memory.
;; 0: sh3add.uw a0, a1, a2
;; 1: max a0, a1, a2
;; 2: orc.b a0, a1
;; 3: rev8 a0, a1
;; 4: bclr a0, a1, a2
(module
  (type (;0;) (func (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (export "0") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.add
          (i64.shl
            (i64.extend_i32_u
              (i32.wrap_i64
                (i64.load offset=88
                  (i32.const 0))))
            (i64.const 3))
          (i64.load offset=96
            (i32.const 0))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
    (local i64 i64)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (select
          (local.tee 0
            (i64.load offset=88
              (i32.const 0)))
          (local.tee 1
            (i64.load offset=96
              (i32.const 0)))
          (i64.gt_s
            (local.get 0)
            (local.get 1))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (local i64)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.mul
          (i64.shr_u
            (i64.and
              (i64.or
                (i64.add
                  (i64.and
                    (local.tee 0
                      (i64.load offset=88
                        (i32.const 0)))
                    (i64.const 9187201950435737471))
                  (i64.const 9187201950435737471))
                (local.get 0))
              (i64.const -9187201950435737472))
            (i64.const 7))
          (i64.const 255)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;3;) (export "3") (type 0) (result i32)
    (local i64)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.rotl
          (i64.or
            (i64.shl
              (i64.and
                (local.tee 0
                  (i64.or
                    (i64.shl
                      (i64.and
                        (local.tee 0
                          (i64.load offset=88
                            (i32.const 0)))
                        (i64.const 71777214294589695))
                      (i64.const 8))
                    (i64.and
                      (i64.shr_u
                        (local.get 0)
                        (i64.const 8))
                      (i64.const 71777214294589695))))
                (i64.const 281470681808895))
              (i64.const 16))
            (i64.and
              (i64.shr_u
                (local.get 0)
                (i64.const 16))
              (i64.const 281470681808895)))
          (i64.const 32)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;4;) (export "4") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.and
          (i64.load offset=88
            (i32.const 0))
          (i64.rotl
            (i64.const -2)
            (i64.load offset=96
              (i32.const 0)))))
      (return
        (i32.const 0)))
    (i32.const 2)))
